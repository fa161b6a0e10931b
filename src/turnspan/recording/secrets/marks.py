"""Marks: the few characters that a secret begins with or is named by, all of them found in one pass.

The pass is Aho and Corasick's automaton, in Rust: 2 ns for each character, however many marks there are. A regular
expression of Python's takes thirty times as long. Where there is no wheel of it, that is what finds them all the same.
"""

from __future__ import annotations

import atexit
import re
import time
import weakref
from collections.abc import Callable
from functools import cached_property, partial

try:
    from ahocorasick_rs import BytesAhoCorasick, Implementation
except ImportError:
    BytesAhoCorasick = None

_LEAVE_S = 0.001


class Marks:
    """Finds any of some hundred short texts: ``find`` says which mark stands where, from and to. They may overlap.

    Args:
        marks: The texts, none of them empty.
        automaton: Whether to use the automaton, if it is installed.

    """

    find: Callable[[bytes], list[tuple[int, int, int]]]

    def __init__(self, marks: list[bytes], *, automaton: bool = True) -> None:
        self._marks = marks
        if automaton and BytesAhoCorasick is not None:
            find = BytesAhoCorasick(marks, implementation=Implementation.ContiguousNFA).find_matches_as_indexes
            self.find = partial(find, overlapping=True)
            _in_rust.add(self)
            return
        self.leave_rust()

    def leave_rust(self) -> None:
        """Find without the automaton from now on."""
        self.find = self._find_without

    @cached_property
    def _any(self) -> re.Pattern[bytes]:
        return re.compile(b"|".join(map(re.escape, sorted(self._marks))))

    @cached_property
    def _starting(self) -> dict[bytes, list[tuple[int, bytes]]]:
        starting: dict[bytes, list[tuple[int, bytes]]] = {}
        for number, mark in enumerate(self._marks):
            starting.setdefault(mark[:1], []).append((number, mark))
        return starting

    def _find_without(self, text: bytes) -> list[tuple[int, int, int]]:
        found: list[tuple[int, int, int]] = []
        one = self._any.search(text)
        while one is not None:
            start = one.start()
            found += [
                (number, start, start + len(mark))
                for number, mark in self._starting[text[start : start + 1]]
                if text.startswith(mark, start)
            ]
            one = self._any.search(text, start + 1)
        return found


_in_rust: weakref.WeakSet[Marks] = weakref.WeakSet()


@atexit.register
def leave_rust() -> None:
    """Have no thread be in the automaton when the interpreter ends: to be called as early as that is certain.

    It lets other threads run meanwhile, and waits for the interpreter's lock: a daemon thread that waits there is ended
    in the midst of Rust, and that aborts the process ("FATAL: exception not rethrown").
    """
    for marks in list(_in_rust):
        marks.leave_rust()
    time.sleep(_LEAVE_S)  # who waits there now gets the lock
