# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Python's urllib.request, and requests."""

from __future__ import annotations

import contextlib
import platform
import ssl
import urllib.error
import urllib.request
from http.client import HTTPException

from .witness import Absent, Question, Sender, environment

_SECONDS = 3


class Urllib(Sender):
    name = consumer = "urllib"

    def __init__(self) -> None:
        # Loading the authorities takes 20 ms; none are needed, for nothing gets as far as TLS.
        self._tls = urllib.request.HTTPSHandler(context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))

    def version(self) -> str:
        return platform.python_version()

    def send(self, question: Question) -> None:
        with environment(question.variables), contextlib.suppress(OSError, HTTPException):
            # A new opener reads the environment anew.
            urllib.request.build_opener(self._tls).open(question.url, timeout=_SECONDS)


class Requests(Sender):
    name = consumer = "requests"

    def version(self) -> str:
        try:
            import requests
        except ImportError as error:
            raise Absent("requests is not installed") from error
        return requests.__version__

    def send(self, question: Question) -> None:
        import requests

        with environment(question.variables), contextlib.suppress(requests.RequestException):
            requests.get(question.url, timeout=_SECONDS)
