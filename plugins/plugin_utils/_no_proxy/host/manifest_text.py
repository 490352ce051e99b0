# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proxy variables in the text of a static pod's manifest: set or taken out, and nothing else of it touched. Pure. PRIVATE to the collection.

ruamel.yaml keeps comments, order and quotes. How a manifest is indented it has to be told, so the way that gives back the very text is searched for; where
there is none nothing is changed, because a manifest that somebody wrote by hand is not to come back in another shape.
"""

from __future__ import annotations

import copy
import io
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .settings import NAMES

COMPONENTS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd")
_WIDTHS = (1 << 20, 80)
_FOLDED = re.compile(r"^((?P<item> *)- name: \w+_PROXY\n(?P=item)  value: )(\S.*(?:\n(?P=item)    +\S.*)+)$", re.IGNORECASE | re.MULTILINE)


class NotEdited(ValueError):
    """Nothing was changed; the text says why, and the way out."""


@dataclass(frozen=True)
class Edited:
    """changes: in words, without values, which may hold passwords."""

    content: str
    changes: tuple[str, ...]


def edited(text: str, wanted: Mapping[str, str | None]) -> Edited:
    """wanted: HTTPS_PROXY, HTTP_PROXY, NO_PROXY -> value, or None to take it out, in both spellings. Raises NotEdited."""
    unknown = sorted(set(wanted) - set(NAMES))
    if unknown:
        raise NotEdited(f"{unknown[0]} is none of {', '.join(NAMES)}.")
    yaml, document = _readable(text)
    before = copy.deepcopy(document)
    container = _container(document)
    changes = []
    for name in NAMES:
        if name in wanted:
            value = wanted[name]
            changes += _taken_out(container, name) if value is None else _set(yaml, container, name, value)
    if not changes:
        return Edited(text, ())
    content = _written(yaml, document)
    _check(content, before, wanted)
    return Edited(content, tuple(changes))


def _readable(text: str) -> tuple[Any, Any]:
    """(a YAML that gives back the same text, but for folds of proxy variables, the document). Raises NotEdited."""
    try:
        from ruamel.yaml.error import YAMLError
    except ImportError as error:
        raise NotEdited("the Python package ruamel.yaml is not installed on the controller (pip install ruamel.yaml).") from error
    said = None
    for candidate, offset, width, null in itertools.product(dict.fromkeys((text, _unfolded(text))), (0, 2), _WIDTHS, ("null", "", "~")):
        yaml = _writer(offset, width, null, _begins_with_mark(text))
        try:
            document = yaml.load(candidate)
        except YAMLError as error:
            raise NotEdited(f"the manifest is no YAML: {error}") from error
        said = document if said is None else said
        if _written(yaml, document) == candidate and document == said:
            return yaml, document
    raise NotEdited("the manifest is written in a way that an edit would change elsewhere, too. Change the variables by hand, on one server at a time.")


def _unfolded(text: str) -> str:
    """The values of proxy variables each on one line: Go's writer folds them where ruamel.yaml would not. A fold is a blank."""
    return _FOLDED.sub(lambda match: match[1] + re.sub(r"\n +", " ", match[3]), text)


def _writer(offset: int, width: int, null: str, mark: bool) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.representer import RoundTripRepresenter

    class Representer(RoundTripRepresenter):  # a class of its own: representers are kept by class, for everybody
        pass

    Representer.add_representer(type(None), lambda self, dummy: self.represent_scalar("tag:yaml.org,2002:null", null))
    yaml = YAML()
    yaml.Representer = Representer
    yaml.preserve_quotes = True
    yaml.width = width
    yaml.explicit_start = mark
    yaml.indent(mapping=2, sequence=2 + offset, offset=offset)
    return yaml


def _begins_with_mark(text: str) -> bool:
    lines = (line.rstrip() for line in text.splitlines())
    return next((line for line in lines if line and not line.startswith("#")), "") == "---"


def _written(yaml: Any, document: Any) -> str:
    out = io.StringIO()
    yaml.dump(document, out)
    return out.getvalue()


def _container(document: Any) -> Any:
    """Raises NotEdited."""
    spec = document.get("spec") if isinstance(document, Mapping) and document.get("kind") == "Pod" else None
    for container in (spec.get("containers") or ()) if isinstance(spec, Mapping) else ():
        if isinstance(container, Mapping) and container.get("name") in COMPONENTS:
            return container
    raise NotEdited(f"the manifest is no Pod with a container named {', '.join(COMPONENTS)}.")


def _spellings(container: Any, name: str) -> Iterator[int]:
    """Positions in env, last first."""
    for position in range(len(container.get("env") or ()) - 1, -1, -1):
        if container["env"][position].get("name") in (name, name.lower()):
            yield position


def _taken_out(container: Any, name: str) -> list[str]:
    changes = []
    for position in _spellings(container, name):
        changes.append(f"{container['env'][position]['name']} is taken out")
        del container["env"][position]
    if changes and not container["env"]:
        del container["env"]
    return changes[::-1]


def _set(yaml: Any, container: Any, name: str, value: str) -> list[str]:
    changes = []
    positions = list(_spellings(container, name))
    for position in positions:
        variable = container["env"][position]
        if "valueFrom" in variable:
            raise NotEdited(f"{variable['name']} has its value from elsewhere (valueFrom). Change it there.")
        if variable.get("value") != value:
            variable["value"] = value
            changes.append(f"{variable['name']} is changed")
    if not positions:
        variable = yaml.map()
        variable.update({"name": name, "value": value})
        if container.get("env") is None:
            container.pop("env", None)
            # Where kubeadm has it: after the command, before the image.
            place = list(container).index("image") if "image" in list(container)[1:] else len(container)
            container.insert(place, "env", yaml.seq([variable]))
        else:
            container["env"].append(variable)
        changes.append(f"{name} is added")
    return changes[::-1]


def _check(content: str, before: Any, wanted: Mapping[str, str | None]) -> None:
    """That the new text says what is wanted, and otherwise the same. Raises NotEdited."""
    from ruamel.yaml import YAML

    after = YAML(typ="safe", pure=True).load(content)
    names = {spelled for name in wanted for spelled in (name, name.lower())}
    if _without(before, names) != _without(after, names):
        raise NotEdited("the edit would have changed more than the proxy variables; nothing was changed. Change them by hand.")
    environment = [(one["name"], one.get("value")) for one in _container(after).get("env") or () if one["name"] in names]
    for name, value in wanted.items():
        found = {said for spelled, said in environment if spelled in (name, name.lower())}
        if found != (set() if value is None else {value}):
            raise NotEdited(f"{name} would not have got its value; nothing was changed. Change it by hand.")


def _without(document: Any, names: set[str]) -> Any:
    plain = copy.deepcopy(document)
    container = _container(plain)
    rest = [one for one in container.pop("env", None) or () if one.get("name") not in names]
    return (plain, rest)
