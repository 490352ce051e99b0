# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why nothing could be observed at all. PRIVATE to the collection."""

from __future__ import annotations


class ObservationError(Exception):
    """No facts can be given; the text is one paragraph for the user: what, why, the way out."""
