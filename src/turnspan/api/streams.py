"""Whether a ``with`` block stands around the ``yield`` of a stream, which its source says.

The steps of a generator run in the context of whoever asks for the next item: what such a block makes current leaks to
there, and between two steps other users' code runs inside of it. A block that is left before the next ``yield`` is fine,
and so is one in a decorated stream, or in a generator that yields once: a context manager, a fixture.
"""

from __future__ import annotations

import ast
import functools
import inspect
import linecache
from collections.abc import Iterator
from types import FrameType

_GENERATOR = inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR
_HOLD = ("turnspan", "contextlib", "_pytest", "pluggy", "pytest_asyncio", "anyio", "tornado", "twisted")
"""Packages that run a generator as a context manager, a fixture or a coroutine; and ours, which enters and leaves what is
current in a decorated stream with each of its steps."""


def stands_in_stream(frame: FrameType) -> bool:
    """Return whether the block that a frame is about to enter is around a ``yield`` of a stream."""
    if not frame.f_code.co_flags & _GENERATOR:
        return False
    reader = frame.f_back
    while reader is not None and reader.f_code.co_flags & _GENERATOR and not _holds(reader):
        reader = reader.f_back  # a stream that passes another one on
    if reader is not None and _holds(reader):
        return False
    linecache.lazycache(frame.f_code.co_filename, frame.f_globals)
    return _block_yields(frame.f_code.co_filename, frame.f_lineno)


def _holds(reader: FrameType) -> bool:
    return str(reader.f_globals.get("__name__")).partition(".")[0] in _HOLD


@functools.lru_cache(maxsize=256)
def _block_yields(file: str, line: int) -> bool:
    """Return whether there is a ``yield`` in the innermost ``with`` that begins at a line; not where there is no source."""
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):
        return False
    blocks = [
        node
        for node in ast.walk(tree)
        if isinstance(node, (ast.With, ast.AsyncWith)) and node.lineno <= line <= node.body[0].lineno
    ]
    return bool(blocks) and _yields(max(blocks, key=lambda node: (node.lineno, node.col_offset)).body)


def _yields(body: list[ast.stmt]) -> bool:
    return any(isinstance(node, (ast.Yield, ast.YieldFrom)) for statement in body for node in _own(statement))


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and what is in it, without functions that are defined there."""
    yield node
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
        for child in ast.iter_child_nodes(node):
            yield from _own(child)
