"""Templates: every expression in one is text that does nothing, unless it is markup that this package made."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from turnspan._version import __version__
from turnspan.model import addresses
from turnspan.model.inert import inert
from turnspan.viewer import formatting

_ASSETS = files("turnspan.viewer") / "assets"
TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


@cache
def environment() -> Environment:
    """Return the templates, compiled once."""
    env = Environment(
        loader=PackageLoader("turnspan.viewer"),
        autoescape=True,
        finalize=_inert,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    env.globals.update(
        version=__version__,
        asset=asset_path,
        session_path=addresses.session_path,
        event_path=addresses.event_path,
        trace_path=addresses.trace_path,
        turn_anchor=addresses.turn_anchor,
        event_anchor=addresses.event_anchor,
        quoted=addresses.quoted,
        in_query=lambda text: quote(text, safe="", errors="backslashreplace"),
        duration=formatting.duration,
        count=formatting.count,
        plural=formatting.plural,
        clock=formatting.clock,
        machine_time=formatting.machine_time,
        status_word=lambda status: formatting.STATUS_WORD.get(status, status),
    )
    for name in env.list_templates():
        env.get_template(name)  # compiled before the first page is asked for
    return env


def _inert(value: Any) -> Any:
    return inert(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def render(template: str, **values: Any) -> str:
    """Return a page."""
    return environment().get_template(template).render(**values)


@cache
def asset(name: str) -> bytes | None:
    """Return the bytes of an asset; None when there is none of this name."""
    if "/" in name or name.rpartition(".")[2] not in TYPES:
        return None
    path = _ASSETS / name
    return path.read_bytes() if path.is_file() else None


@cache
def asset_path(name: str) -> str:
    """Return the address of an asset, another one for each content, so that it may be kept."""
    digest = hashlib.sha256(asset(name) or b"").hexdigest()[:12]
    return f"/assets/{name}?{digest}"
