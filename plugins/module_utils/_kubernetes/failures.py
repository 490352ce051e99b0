# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong between a module and an API server, as types. PRIVATE to the collection.

Modules turn `ConfigurationError` and `MissingLibrary` into `fail_json`; an HTTP status is an answer, never an exception.
"""

from __future__ import annotations


class ConfigurationError(Exception):
    """The connection options cannot be used; the text is one paragraph for the user: what, what was expected, the way out."""


class MissingLibrary(Exception):
    """A Python library is missing or too old. `library` is what `ansible.module_utils.basic.missing_required_lib` wants."""

    def __init__(self, library: str, detail: str = "") -> None:
        super().__init__(f"{library} is required{': ' + detail if detail else ''}")
        self.library = library
        self.detail = detail


class Unreachable(Exception):
    """No HTTP answer came: `cause` is a word of the vocabulary, `message` names the address and says what happened."""

    def __init__(self, message: str, cause: str) -> None:
        super().__init__(message)
        self.message = message
        self.cause = cause


class UpgradeRefused(Exception):
    """The API server answered a WebSocket upgrade with an ordinary HTTP `status` (403: no right; 400, 405: no WebSocket spoken)."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
