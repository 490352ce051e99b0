# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a line of a unit sets, where no specifier but the percent sign is in it."""

from __future__ import annotations

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._proxy_settings import unit_file


def set_by(value: str) -> list[tuple[str, str]]:
    """(name, value) of an Environment= line. `%%` is a percent sign; other specifiers are left as they are."""
    return [(name, unit_file.resolved(said, {})[0]) for name, said in unit_file.assignments(value)]
