# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""libcurl in three ages: from before CIDRs, this machine's curl, and the newest."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess

from .witness import Absent, Question, Sender, environment, without_proxies

_SECONDS = 3


class CurlProgram(Sender):
    name = consumer = "curl"

    def version(self) -> str:
        if shutil.which("curl") is None:
            raise Absent("curl is not installed (apt-get install curl)")
        return subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]

    def send(self, question: Question) -> None:
        command = ["curl", "--disable", "--silent", "--globoff", "--max-time", str(_SECONDS), "--output", "/dev/null", question.url]
        subprocess.run(command, check=False, env={**without_proxies(os.environ), **question.variables})


class OldCurl(Sender):
    """The libcurl that curl_cffi 0.5 brings along."""

    name, consumer = "curl_cffi", "curl"

    def version(self) -> str:
        try:
            import curl_cffi
        except ImportError as error:
            raise Absent("curl_cffi 0.5 is not installed (requirements-dev.txt)") from error
        return curl_cffi.Curl().version().decode().split()[0].partition("/")[2]

    def send(self, question: Question) -> None:
        import curl_cffi

        with environment(question.variables), contextlib.suppress(curl_cffi.CurlError):
            curl = curl_cffi.Curl()
            curl.setopt(curl_cffi.CurlOpt.URL, question.url.encode())
            curl.setopt(curl_cffi.CurlOpt.TIMEOUT, _SECONDS)
            curl.setopt(curl_cffi.CurlOpt.NOSIGNAL, 1)
            curl.perform()


class NewCurl(Sender):
    """The libcurl that pycurl brings along."""

    name, consumer = "pycurl", "curl"

    def version(self) -> str:
        try:
            import pycurl
        except ImportError as error:
            raise Absent("pycurl is not installed (requirements-dev.txt)") from error
        return next(word for word in pycurl.version.split() if word.startswith("libcurl/")).partition("/")[2]

    def send(self, question: Question) -> None:
        import pycurl

        with environment(question.variables), contextlib.suppress(pycurl.error):
            curl = pycurl.Curl()
            curl.setopt(pycurl.URL, question.url)
            curl.setopt(pycurl.TIMEOUT, _SECONDS)
            curl.setopt(pycurl.NOSIGNAL, 1)
            curl.perform()
