# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages that are one file: no script, nothing loaded from elsewhere. PRIVATE to the collection.

Every value is made fit to show (text.shown) and escaped by the template engine; the page's own policy lets nothing run and nothing load, and allows only its
own style sheet, by its hash.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from .text import shown

_HERE = Path(__file__).parent


def render_page(template: str, **values: Any) -> str:
    """The page of this template (a file beside this one), with `style` and `style_hash` beside the values."""
    style = _style()
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return _template(template).render(style=Markup(style), style_hash=Markup(digest), **values)


@cache
def _template(name: str) -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, finalize=_finalize, keep_trailing_newline=True)
    return environment.from_string((_HERE / name).read_text("utf-8"))


@cache
def _style() -> str:
    return (_HERE / "report.css").read_text("utf-8")


def _finalize(value: Any) -> Any:
    """What a template prints: markup of our own as it is, all else made fit to show (escaping follows)."""
    return value if isinstance(value, Markup) else shown(value)
