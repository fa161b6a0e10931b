"""The one way out: everything that a command prints goes through here, and is inert by then.

On a terminal what is longer than the screen goes through the pager (``PAGER``, as for git). In a pipe or a file it is
plain and whole: nothing is coloured, wrapped or cut.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO

import click
import msgspec
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from turnspan.model.inert import inert, inert_json

_ENDLESS = 1_000_000
"""Columns of a pipe."""


def line(text: str = "") -> None:
    """Print a line of text."""
    _write(f"{inert(text)}\n")


def note(text: str) -> None:
    """Say something beside the answer, on standard error."""
    _write(f"{inert(f'turnspan: {text}')}\n", err=True)


def raw(text: str, *, as_json: bool) -> None:
    """Print what is for other programs as it is, or a document that they read."""
    _write(inert_json(text) if as_json else inert(text))


def document(value: Any) -> None:
    """Print a document as JSON."""
    built = msgspec.to_builtins(value)
    _write(inert_json(json.dumps(built, indent=2, ensure_ascii=False)) + "\n")


def show(*renderables: RenderableType, paged: bool = True) -> None:
    """Print trees, tables and text."""
    terminal = _is_terminal(sys.stdout)
    console = Console(highlight=False, emoji=False, width=None if terminal else _ENDLESS)
    if not terminal:
        console.no_color = True
    with console.capture() as capture:
        for renderable in renderables:
            console.print(_Inert(Text(renderable) if isinstance(renderable, str) else renderable), soft_wrap=False)
    text = capture.get()
    if not terminal:
        text = "".join(f"{row.rstrip()}\n" for row in text.split("\n")[:-1])
    elif paged and text.count("\n") >= console.height and _is_terminal(sys.stdin):
        os.environ.setdefault("LESS", "FRX")  # as git does: quit if it fits, keep colours, leave it on the screen
        click.echo_via_pager(text, color=True)
        return
    _write(text)


def _write(text: str, *, err: bool = False) -> None:
    """Write text that is inert by now, and our own colours."""
    click.echo(text, nl=False, err=err)


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


class _Inert:
    """Something to be printed whose text is made inert when it is laid out; what colours it is ours and stays."""

    def __init__(self, renderable: RenderableType) -> None:
        self._renderable = renderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        for segment in console.render(self._renderable, options):
            yield segment if segment.control else Segment(inert(segment.text), segment.style)
