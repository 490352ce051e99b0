# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user says about a Deployment of which only he knows how its port is set. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..request import InvalidOption

_KEYS = ("namespace", "name", "container", "port_argument", "service")
PORT = "{port}"


@dataclass(frozen=True)
class Parameters:
    """The option `deployment`. container: default the one with the port. port_argument: how the process is told its port, such as `--secure-port={port}`;
    None where it cannot be told. service: default those whose selectors select the pods."""

    namespace: str
    name: str
    container: str | None = None
    port_argument: str | None = None
    service: str | None = None

    @classmethod
    def of(cls, given: Any) -> Parameters | None:
        """None where nothing is said. Raises InvalidOption."""
        if not isinstance(given, Mapping):
            raise InvalidOption(f"deployment is {given!r}. Expected a mapping of {', '.join(_KEYS)}.")
        said = {key: value for key, value in given.items() if value is not None}
        if not said:
            return None
        unknown = sorted(set(said) - set(_KEYS))
        if unknown:
            raise InvalidOption(f"deployment has {', '.join(map(repr, unknown))}. Expected: {', '.join(_KEYS)}.")
        for key in _KEYS:
            if key in said and not (isinstance(said[key], str) and said[key].strip()):
                raise InvalidOption(f"deployment.{key} is {said[key]!r}. Expected a text.")
        if "namespace" not in said or "name" not in said:
            raise InvalidOption("deployment lacks namespace or name. Expected both: which Deployment is meant.")
        if said.get("port_argument", PORT).count(PORT) != 1:
            raise InvalidOption(
                f"deployment.port_argument is {said['port_argument']!r}. Expected an argument that has {PORT} once, such as --secure-port={PORT}."
            )
        return cls(**said)
