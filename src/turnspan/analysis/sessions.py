"""Sessions taken apart into steps, and what was said in them by its words: made once, and kept while they are the same."""

from __future__ import annotations

import gc
import threading
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property

from turnspan.analysis.leaves import text_of_leaf
from turnspan.analysis.quoting import Match, Texts
from turnspan.analysis.steps import Step, passages_of, steps_of
from turnspan.reading.places import hits
from turnspan.reading.reader import Reader
from turnspan.reading.windows import KeptOutlines, window_of, window_trees
from turnspan.stores.base import TurnSummary


@contextmanager
def without_collecting() -> Iterator[None]:
    """Keep the garbage collector off while a session is taken apart.

    Of a hundred thousand steps it looks through millions of objects that all stay, several times: longer than making them takes.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class Said:
    """All that was said in some turns, in order of time."""

    def __init__(self, turns: Sequence[Step]) -> None:
        passages = [passage for turn in turns for step in turn.walk() for passage in passages_of(step)]
        passages.sort(key=lambda passage: passage.at)
        pairs = [(text, passage) for passage in passages if (text := text_of_leaf(passage.value))]
        self.texts = [text for text, _ in pairs]
        self.passages = [passage for _, passage in pairs]
        self._at = [passage.at for passage in self.passages]
        self._index = Texts(self.texts)

    def quotes(self, values: Sequence[str], limit: tuple[int, int], aside: set[Step]) -> list[list[Match]]:
        """Return for each value what of it was said before a moment.

        Args:
            values: What is looked for.
            limit: The moment.
            aside: Steps that say nothing about it, but for what they were given first.

        """

        def kept(numbers: list[int]) -> list[int]:
            """Leave out what only repeats: the same text stands before it, so it has the same words and is here, too."""
            known: set[str] = set()
            found = []
            for number in numbers:
                text, passage = self.texts[number], self.passages[number]
                if passage.step in aside and passage.part not in ("prompt", "messages"):
                    continue
                if not (passage.echo and text in known):
                    known.add(text)
                    found.append(number)
            return found

        return self._index.quotes(values, bisect_left(self._at, limit), kept)


class SteppedSession:
    """A session's turns as steps."""

    def __init__(self, session_id: str, turns: Sequence[Step]) -> None:
        self.session_id, self.turns = session_id, turns

    @cached_property
    def said(self) -> Said:
        """What was said in it."""
        with without_collecting():
            return Said(self.turns)


class SteppedSessions:
    """Takes sessions apart, and keeps the last ones as long as their state stays the same.

    Args:
        reader: What they are read by.
        most: How many are kept: a long one takes a kilobyte a step.

    """

    def __init__(self, reader: Reader, most: int = 0) -> None:
        self.reader, self._most = reader, most
        self._known: dict[str, tuple[str, SteppedSession]] = {}
        self._lock = threading.Lock()
        self._outlines = KeptOutlines()

    def of(self, wanted: str) -> SteppedSession:
        """Return the session that is meant: by its id, its beginning, an id of something in it, or ``last``.

        Raises:
            SessionNotFoundError: When there is none, or when it may be several.

        """
        with self._lock, without_collecting():
            state = self.reader.state(wanted) if self._most else None
            known = self._known.get(wanted)
            if known is not None and known[0] == state:
                return known[1]
            session = self.reader.session(wanted)
            found = SteppedSession(session.session_id, steps_of(session, self.reader.tree(session)))
            if state is not None:
                self._known.pop(wanted, None)
                self._known[wanted] = (state, found)
                while len(self._known) > self._most:
                    self._known.pop(next(iter(self._known)))
            return found

    def some(self, session_id: str, first: int, most: int) -> tuple[Sequence[Step], int]:
        """Return some turns of a session, from a place on (0 is the first), and how many turns it has."""
        window = window_of(self.reader.store, session_id, first, most, self._outlines)
        if window is None or window.first != first:  # a place behind its end
            return [], 0 if window is None else len(window.outline)
        with without_collecting():
            trees = window_trees(self.reader.store, window.session)
            return steps_of(window.session, trees, first + 1), len(window.outline)

    def turn(self, wanted: str) -> SteppedSession | None:
        """Return one turn alone, without the others of its session, where an id names it and nothing else."""
        found = hits(self.reader.store, wanted) if wanted else []
        if not found or {hit.kind for hit in found} - {"turn", "trace"} or len({hit.turn_id for hit in found}) > 1:
            return None
        session_id, turn_id = found[0].session_id, found[0].turn_id

        def place(outline: list[TurnSummary]) -> int:
            return next((n for n, turn in enumerate(outline) if turn.turn_id == turn_id), 0)

        window = window_of(self.reader.store, session_id, place, 1, self._outlines)
        if window is None or [turn.turn_id for turn in window.session.turns] != [turn_id]:
            return None
        trees = window_trees(self.reader.store, window.session)
        return SteppedSession(session_id, steps_of(window.session, trees, window.first + 1))
