"""Which parts of a text stand in other texts, word for word.

A quote is the same characters in both, from the beginning of a word to the end of one; ``42`` is not in ``42.00``, and
``7`` not in ``17``. Claimed is a whole value, or of a longer one a run of :data:`_FEWEST_WORDS` words, or a single word
with a digit in it (an id, a date, an amount). What is short is marked as such, and not claimed at all where many texts
have it. Not seen: what was said in other words, translated, computed, or written in another way.

Texts are indexed by their words, in one pass; then only around the rarest words of a value is looked.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

# a number with its points is one word; in scripts without spaces each character is
_WORD = re.compile(
    r"\d+(?:[.,]\d+)+(?![\w])|[\u0e00-\u0eff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]"
    r"|[^\W\u0e00-\u0eff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]+"
)
_FEWEST_WORDS = 3
_FEWEST_LETTERS = 8
"""Of a part that is quoted."""
_SHORT = 4
"""Letters and digits: what has fewer may be there by chance."""
_MOST_OF_SHORT = 8
"""Texts that may have something short before it says nothing any more."""
_MOST_PLACES = 64
"""Places of one word in one value that are looked at."""
_MOST_SOURCES = 4
"""The first, and the last ones."""


class Source(NamedTuple):
    """Where a quote stands: the number of the text, and from which character to which."""

    text: int
    start: int
    end: int


@dataclass(slots=True)
class Match:
    """A part of a value that stands in earlier texts: the first of them, and the last ones."""

    start: int
    end: int
    short: bool
    sources: list[Source] = field(default_factory=list)
    count: int = 0
    """How many texts have it."""


@dataclass(slots=True)
class _Value:
    """A value that is looked for, as words."""

    text: str
    words: list[tuple[int, int]]
    places: dict[str, list[int]]
    found: dict[tuple[int, int], Match] = field(default_factory=dict)


class Texts:
    """Texts by the words in them: indexed once, and then asked often for what of other texts stands in them."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self._places: dict[str, list[int]] = {}
        words: dict[str, frozenset[str]] = {}  # of each text once: agents repeat themselves
        for number, text in enumerate(texts):
            if (own := words.get(text)) is None:
                own = words[text] = frozenset(_WORD.findall(text))
            for word in own:
                self._places.setdefault(word, []).append(number)

    def quotes(
        self, values: Sequence[str], until: int | None = None, kept: Callable[[list[int]], list[int]] = list
    ) -> list[list[Match]]:
        """Return for each value the parts of it that stand in texts, in order; none overlaps another.

        Args:
            values: What is looked for.
            until: Behind the last text that is looked at; None: all are.
            kept: Returns those texts, out of some by number, that are looked at.

        """
        wanted = [_value(text) for text in values]
        until = len(self._texts) if until is None else until
        places = {word: own for value in wanted for word in value.places if (own := self._places.get(word))}
        counts = Counter({word: bisect_left(own, until) for word, own in places.items()})
        seeds = {seed for value in wanted for seed in _seeds(value, counts)}
        known = {number for seed in seeds for number in places.get(seed, ())[: counts[seed]]}
        for number in kept(sorted(known)):
            _look(self._texts[number], number, seeds, wanted)
        return [_chosen(value) for value in wanted]


def quotes(values: Sequence[str], texts: Sequence[str]) -> list[list[Match]]:
    """Return for each value the parts of it that stand in texts."""
    return Texts(texts).quotes(values)


def _value(text: str) -> _Value:
    words = [found.span() for found in _WORD.finditer(text)]
    places: dict[str, list[int]] = {}
    for number, (start, end) in enumerate(words):
        places.setdefault(text[start:end], []).append(number)
    return _Value(text, words, places)


def _seeds(value: _Value, counts: Counter[str]) -> set[str]:
    """Return words of which each quote that may be claimed has one: the rarest of every few, and the telling ones."""
    words = [value.text[start:end] for start, end in value.words]
    size = min(_FEWEST_WORDS, len(words))
    found = (
        {min(words[n : n + size], key=lambda word: counts[word]) for n in range(len(words) - size + 1)}
        if words
        else set()
    )
    return {word for word in found if counts[word]} | {word for word in words if _is_telling(word)}


def _is_telling(word: str) -> bool:
    return len(word) >= _SHORT and any(char.isdigit() for char in word)


def _look(text: str, number: int, seeds: set[str], wanted: list[_Value]) -> None:
    """Note what of the values stands in a text, around each seed in it."""
    words = [found.span() for found in _WORD.finditer(text)]
    done: dict[tuple[int, int], int] = {}  # by value and distance: up to which word
    for at, (start, end) in enumerate(words):
        word = text[start:end]
        if word not in seeds:
            continue
        for which, value in enumerate(wanted):
            for own in value.places.get(word, ())[:_MOST_PLACES]:
                line = (which, at - own)
                if done.get(line, -1) >= at:
                    continue
                first, last = _around(value, own, text, words, at)
                done[line] = at + last - own
                _note(value, first, last, number, words[at + first - own][0])


def _around(value: _Value, own: int, text: str, words: list[tuple[int, int]], at: int) -> tuple[int, int]:
    """Return the first and the last word of a value that stand in a text around a word that both have."""
    first, last, here, there = own, own, at, at
    while first and here and _joined(value.text, value.words, first - 1) == _joined(text, words, here - 1):
        first, here = first - 1, here - 1
    while (
        last + 1 < len(value.words)
        and there + 1 < len(words)
        and _tail(value.text, value.words, last) == _tail(text, words, there)
    ):
        last, there = last + 1, there + 1
    return first, last


def _joined(text: str, words: list[tuple[int, int]], number: int) -> str:
    """Return a word and what stands between it and the next."""
    return text[words[number][0] : words[number + 1][0]]


def _tail(text: str, words: list[tuple[int, int]], number: int) -> str:
    """Return what stands behind a word, and the next word."""
    return text[words[number][1] : words[number + 1][1]]


def _note(value: _Value, first: int, last: int, number: int, at: int) -> None:
    start, end = value.words[first][0], value.words[last][1]
    text = value.text[start:end]
    letters = sum(stop - begin for begin, stop in value.words[first : last + 1])
    whole = first == 0 and last == len(value.words) - 1
    many = last - first + 1 >= _FEWEST_WORDS and letters >= _FEWEST_LETTERS
    if not (whole or many or _is_telling(text)):
        return
    match = value.found.setdefault((start, end), Match(start, end, short=letters < _SHORT))
    if match.sources and match.sources[-1].text == number:
        return
    match.count += 1
    if len(match.sources) == _MOST_SOURCES:
        del match.sources[1]
    match.sources.append(Source(number, at, at + end - start))


def _chosen(value: _Value) -> list[Match]:
    """Return the matches that are claimed: the longest first, and nothing twice."""
    chosen: list[Match] = []
    for match in sorted(value.found.values(), key=lambda one: (one.start - one.end, one.start)):
        common = match.short and match.count > _MOST_OF_SHORT
        if not common and all(match.end <= one.start or one.end <= match.start for one in chosen):
            chosen.append(match)
    return sorted(chosen, key=lambda one: one.start)
