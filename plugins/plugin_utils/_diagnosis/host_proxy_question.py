# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the filters about a machine's proxy settings are asked, checked at the door. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from .._no_proxy.host import manifest_plan, unit_plan
from .._no_proxy.host.report import report
from .._no_proxy.host.settings import PREFIXES, checked
from .checked import plain
from .no_proxy_question import Question

_NO_NEEDS: tuple[str, ...] = ()


def reported(settings: Any, needs: Any, facts: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    """Raises ValueError, InvalidObservation."""
    return report(checked(plain(settings)), _needs(needs, facts, options))


def planned_units(settings: Any, units: Any, needs: Any, facts: Any, given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """given: proxies, state, prefix, and the options of Question. Raises ValueError, InvalidObservation."""
    options = dict(given)
    proxies, state, prefix = options.pop("proxies", None) or {}, options.pop("state", unit_plan.PRESENT), options.pop("prefix", "") or ""
    if isinstance(units, str) or not isinstance(units, Sequence):
        raise ValueError(f"units is a {type(units).__name__}. Expected: a list of names, such as kubelet.")
    if state not in (unit_plan.PRESENT, unit_plan.ABSENT):
        raise ValueError(f"state {state!r} is not known; there are present and absent.")
    if prefix not in PREFIXES:
        raise ValueError(f"prefix {prefix!r} is not known; there are {', '.join(repr(one) for one in PREFIXES)}.")
    wish = unit_plan.Wish(tuple(_needs(needs, facts, options)), _proxies(proxies), state, prefix)
    return unit_plan.plan(checked(plain(settings)), [str(unit).removesuffix(".service") for unit in units], wish)


def planned_manifests(settings: Any, needs: Any, facts: Any, given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """given: action, and the options of Question. Raises ValueError, InvalidObservation."""
    options = dict(given)
    action = options.pop("action", manifest_plan.COMPLETE)
    if action not in manifest_plan.ACTIONS:
        raise ValueError(f"action {action!r} is not known; there are {', '.join(manifest_plan.ACTIONS)}.")
    wanted = _needs(needs, facts, options)
    return manifest_plan.plan(checked(plain(settings)), wanted, action, None if facts is None else plain(facts)["callouts"])


def _needs(needs: Any, facts: Any, options: Mapping[str, Any]) -> Any:
    """Those of a cluster where there are facts; none where nothing is given."""
    if needs is None and facts is None:
        needs = _NO_NEEDS
    return Question.of("", needs, facts, {"scope": "cluster", **options} if facts is not None else options).needs


def _proxies(given: Any) -> dict[str, str]:
    """HTTPS_PROXY and HTTP_PROXY, as far as they are given. No message shows their values."""
    if not isinstance(given, Mapping):
        raise ValueError(f"proxies is a {type(given).__name__}. Expected: HTTPS_PROXY and HTTP_PROXY.")
    found = {}
    for name, value in plain(given).items():
        if name not in ("HTTPS_PROXY", "HTTP_PROXY"):
            raise ValueError(f"proxies: {name} is none of HTTPS_PROXY, HTTP_PROXY.")
        if not value:
            continue
        url = urlsplit(str(value))
        if url.scheme not in ("http", "https", "socks5") or not url.hostname:
            raise ValueError(f"proxies: {name} is no URL. Expected: http://<host>:<port>.")
        found[name] = str(value)
    return found
