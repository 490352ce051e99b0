# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The flags of a Kubernetes program, from its command line. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable

LONGEST_FLAG = 1000  # characters of a value that are kept


def known_flags(words: Iterable[str], known: frozenset[str], longest: int = LONGEST_FLAG) -> dict[str, str]:
    """The known flags among the words of a command line; `sh -c "kube-apiserver --a=b"` is split, a flag without value is "true"."""
    split = [part for word in words for part in (word.split() if " --" in word else [word])]
    found: dict[str, str] = {}
    for position, word in enumerate(split):
        if not word.startswith("--"):
            continue
        name, equals, value = word[2:].partition("=")
        if name in known:
            following = split[position + 1] if position + 1 < len(split) else "--"
            given = value if equals else ("true" if following.startswith("-") else following)
            found[name] = given if len(given) <= longest else given[: longest - 1] + "…"
    return found
