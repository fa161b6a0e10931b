"""Output: the one room that prints.

Whatever is printed, content of agents above all, is made inert here: no escape sequence, no turned reading direction and
no markup of rich ever reaches a terminal but our own. No other module of the command line prints by itself.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

import click
from rich import markup
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from turnspan.model.inert import inert, inert_json, inert_line


class _InertConsole(Console):
    """Makes inert whatever text it is given, however it was given."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render as rich does, all but the text of segments, which acts on nothing."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(inert(segment.text), segment.style)


def console() -> Console:
    """Return where output goes; wide where it is no terminal, so that nothing is cut in a file."""
    return _InertConsole(highlight=False, width=None if sys.stdout.isatty() else 140, emoji=False)


def echo(text: str = "", *, err: bool = False, nl: bool = True) -> None:
    """Print text: on standard output, or on standard error."""
    click.echo(inert(text), err=err, nl=nl)


def print_json(value: Any) -> None:
    """Print JSON for programs."""
    click.echo(inert_json(json.dumps(value, indent=2, ensure_ascii=False)))


def escape(text: object) -> str:
    """Return text as a part of one line of rich's markup: it means nothing to rich, nor to a terminal."""
    return markup.escape(inert_line(str(text)))


def linked(text: str, url: str | None) -> str:
    """Return text as a link, for terminals that have links."""
    if url is None or not (url.isascii() and url.isprintable()) or "]" in url:
        return escape(text)
    return f"[link={url}]{escape(text)}[/link]"
