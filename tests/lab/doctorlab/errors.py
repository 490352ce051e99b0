# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong in the lab itself, told to the person at the terminal."""

from __future__ import annotations


class LabError(Exception):
    """Something is missing or did not start. The text names the thing and the way out; it is shown without a traceback."""
