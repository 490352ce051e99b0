# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why something is not planned. PRIVATE to the collection."""

from __future__ import annotations


class Refused(Exception):
    """A change would be wrong, or what it needs is not known. The text says why; steps: what a person does instead, at least one."""

    def __init__(self, why: str, *steps: str) -> None:
        super().__init__(why)
        self.steps = steps
