# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML as kubectl writes it -> Python values, from the parser's events. PRIVATE to the collection.

PyYAML's own loaders compose documents recursively: a few KB of `[[[[...` end the process by a stack overflow in C, and schemas
of CustomResourceDefinitions, which nobody asks for here, take most of the time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.failures import MissingLibrary

try:
    import yaml

    HAS_YAML = True
except ImportError:
    HAS_YAML = False

_DEEPEST = 200
_TOO_DEEP = f"nested more than {_DEEPEST} levels deep"
_SCHEMA = re.compile(r"^(\s*(?:- )?)openAPIV3Schema:\s*$")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "yes", "on"), True),
    **dict.fromkeys(("false", "no", "off"), False),
}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,18})")
_FLOAT = re.compile(r"[-+]?[0-9]+\.[0-9]*(?:[eE][-+]?[0-9]{1,3})?")
_TEXT = "tag:yaml.org,2002:str"


class YamlError(Exception):
    """The text is not YAML, or YAML that kubectl would not write; the message says what and where."""


class _Place:
    """A container that is being filled; `key` is the mapping's key that waits for its value, `anchor` the container's name for aliases."""

    __slots__ = ("anchor", "container", "key")

    def __init__(self, container: Any, anchor: str | None = None) -> None:
        self.container = container
        self.anchor = anchor
        self.key: Any = None

    def awaits_key(self) -> bool:
        return isinstance(self.container, dict) and self.key is None

    def put(self, value: Any) -> None:
        if isinstance(self.container, dict):
            self.container[self.key] = value
            self.key = None
        else:
            self.container.append(value)


def documents(content: str) -> Iterator[Any]:
    """Each document of a stream. Times stay text. An alias is the very value that it names, and never one around itself. Raises YamlError, MissingLibrary."""
    if not HAS_YAML:
        raise MissingLibrary("PyYAML", "to read YAML (a dump in JSON needs no library)")
    try:
        yield from _built(yaml.parse(_without_schemas(content), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except yaml.YAMLError as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None) or "unreadable"
        if "nesting depth" in problem:  # newer versions of libyaml look ahead, and have a limit of their own, above this one
            problem = _TOO_DEEP
        raise YamlError(f"{problem}{f', line {mark.line + 1}' if mark else ''}") from error


def _built(events: Iterator[Any]) -> Iterator[Any]:
    root: list[Any] = []
    places = [_Place(root)]
    anchors: dict[str, Any] = {}
    for event in events:
        place = places[-1]
        if isinstance(event, yaml.ScalarEvent):
            if place.awaits_key():
                place.key = event.value
                continue
            value = _scalar(event)
            place.put(value)
            if event.anchor:
                anchors[event.anchor] = value
        elif isinstance(event, yaml.CollectionStartEvent):
            if place.awaits_key():
                raise YamlError(f"a key that is no text, {_line(event)}")
            if len(places) > _DEEPEST:
                raise YamlError(f"{_TOO_DEEP}, {_line(event)}")
            container: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
            place.put(container)
            places.append(_Place(container, event.anchor))
        elif isinstance(event, yaml.CollectionEndEvent):
            places.pop()
            if place.anchor:
                anchors[place.anchor] = place.container
        elif isinstance(event, yaml.AliasEvent):
            if place.awaits_key() or event.anchor not in anchors:
                raise YamlError(f"an alias of nothing before it (*{event.anchor}), {_line(event)}")
            place.put(anchors[event.anchor])
        elif isinstance(event, yaml.DocumentEndEvent):
            anchors.clear()
            yield root.pop()


def _line(event: Any) -> str:
    return f"line {event.start_mark.line + 1}"


def _scalar(event: Any) -> Any:
    value: str = event.value
    if event.tag not in (None, "", "!", _TEXT):
        raise YamlError(f"a tag ({event.tag}), {_line(event)}")
    if event.tag or not event.implicit[0]:  # quoted, a block, or said to be text
        return value
    if value in _WORDS:
        return _WORDS[value]
    if value[:1] in "-+0123456789":
        if _INTEGER.fullmatch(value):
            return int(value)
        if _FLOAT.fullmatch(value):
            return float(value)
    return value


def _without_schemas(content: str) -> str:
    """The YAML without the blocks under openAPIV3Schema, which are nearly all of a CustomResourceDefinition and most of the time it takes to parse."""
    if "openAPIV3Schema:" not in content:
        return content
    kept: list[str] = []
    depth = -1
    for line in content.splitlines(keepends=True):
        if depth >= 0:
            if not line.strip() or len(line) - len(line.lstrip(" ")) > depth:
                continue
            depth = -1
        match = _SCHEMA.match(line)
        if match:
            depth = len(match.group(1))
            continue
        kept.append(line)
    return "".join(kept)
