# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`classify` for those who often have no text to read: its patterns are loaded with the first one. PRIVATE to the collection."""

from __future__ import annotations

from typing import Any


def classify(text: str) -> dict[str, Any]:
    """See `_classify.classify`."""
    # Its patterns take 20 ms to compile, and where nothing fails there is no text.
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._errors._classify import classify as judged

    return judged(text)
