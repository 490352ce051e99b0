# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a witness is: a real program or library that is asked where it sends requests."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from .listener import Listener

DIRECT, PROXY = "direct", "proxy"
# The variables about proxies, lower case; a test's own environment must not bring any along.
_PROXY_VARIABLES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy", "request_method")


class Absent(Exception):
    """This machine has no such program. The text says what would bring it."""


@dataclass(frozen=True)
class Question:
    """A request for `url`, with these variables (Java: system properties) and no other ones about proxies."""

    variables: Mapping[str, str]
    url: str


class Witness(Protocol):
    """One program. consumer: whom it speaks for."""

    name: str
    consumer: str

    def version(self) -> str:
        """As it calls itself. Raises Absent."""

    def answers(self, questions: Sequence[Question], listener: Listener) -> list[str]:
        """DIRECT or PROXY for each."""


class Sender:
    """A witness that really sends: whether the request came to the listener is the answer."""

    def answers(self, questions: Sequence[Question], listener: Listener) -> list[str]:
        found = []
        for question in questions:
            before = listener.requests
            self.send(question)
            found.append(PROXY if listener.requests > before else DIRECT)
        return found

    def send(self, question: Question) -> None:
        """Whether it fails is all the same: everything does where there is no network."""
        raise NotImplementedError


def without_proxies(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.lower() not in _PROXY_VARIABLES}


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """For what reads the environment of this process."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update({**without_proxies(before), **variables})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
