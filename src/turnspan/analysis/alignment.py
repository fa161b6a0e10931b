"""Two lists side by side: which item of one is which item of the other.

What is equal at both ends, and what both have exactly once, is found in linear time. Between these anchors as much
likeness as possible is kept (Needleman and Wunsch) where that is affordable; where it is not, items of one kind are paired
in their order. Swapping the lists swaps the pairs and changes nothing else.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence

Pair = tuple[int | None, int | None]
Likeness = Callable[[int, int], float]
"""How alike two items are, given by their numbers; 0: not the same item at all."""
MayPair = Callable[[int, int], bool]
_MOST_CELLS = 40_000
"""Of one table: two hundred items a side."""


def align(a: Sequence[str], b: Sequence[str], likeness: Likeness, may_pair: MayPair) -> list[Pair]:
    """Return pairs of numbers in order of both lists; None stands where the other list has nothing.

    Args:
        a: Of each item of one list a key that is equal for equal items.
        b: The same of the other.
        likeness: How alike an item of one is to an item of the other. It must not depend on which is which.
        may_pair: Whether they are alike at all, which is sooner said.

    """
    if list(b) < list(a):  # always the same way round, so that equally good alignments are chosen alike
        turned = _align(b, a, lambda i, j: likeness(j, i), lambda i, j: may_pair(j, i))
        return [(left, right) for right, left in turned]
    return _align(a, b, likeness, may_pair)


def _align(a: Sequence[str], b: Sequence[str], likeness: Likeness, may_pair: MayPair) -> list[Pair]:
    start, end_a, end_b = 0, len(a), len(b)
    while start < min(end_a, end_b) and a[start] == b[start]:
        start += 1
    while min(end_a, end_b) > start and a[end_a - 1] == b[end_b - 1]:
        end_a, end_b = end_a - 1, end_b - 1
    pairs: list[Pair] = [(n, n) for n in range(start)]
    last_a = last_b = start
    for i, j in [*_anchors(a, b, start, end_a, end_b), (end_a, end_b)]:
        pairs += _gap(last_a, i, last_b, j, likeness, may_pair)
        if i < end_a:
            pairs.append((i, j))
        last_a, last_b = i + 1, j + 1
    return pairs + [(end_a + n, end_b + n) for n in range(len(a) - end_a)]


def _anchors(a: Sequence[str], b: Sequence[str], start: int, end_a: int, end_b: int) -> list[tuple[int, int]]:
    """Return the longest run of items that both have exactly once, and in the same order."""
    counts_a, counts_b = Counter(a[start:end_a]), Counter(b[start:end_b])
    places = {b[j]: j for j in range(start, end_b) if counts_b[b[j]] == 1}
    common = [(i, places[a[i]]) for i in range(start, end_a) if counts_a[a[i]] == 1 and a[i] in places]
    tails: list[int] = []  # of the runs of each length the one that ends first
    ends: list[int] = []
    before: list[int | None] = []
    for n, (_, j) in enumerate(common):
        length = bisect_left(tails, j)
        before.append(ends[length - 1] if length else None)
        if length == len(tails):
            tails.append(j)
            ends.append(n)
        else:
            tails[length], ends[length] = j, n
    found: list[tuple[int, int]] = []
    last = ends[-1] if ends else None
    while last is not None:
        found.append(common[last])
        last = before[last]
    return found[::-1]


def _gap(from_a: int, to_a: int, from_b: int, to_b: int, likeness: Likeness, may_pair: MayPair) -> list[Pair]:
    if from_a == to_a or from_b == to_b:
        return _alone(from_a, to_a, from_b, to_b)
    cells = (to_a - from_a) * (to_b - from_b)
    if cells == 1 or cells > _MOST_CELLS:
        return _in_order(from_a, to_a, from_b, to_b, may_pair)
    return _most_alike(from_a, to_a, from_b, to_b, likeness)


def _alone(from_a: int, to_a: int, from_b: int, to_b: int) -> list[Pair]:
    return [*((i, None) for i in range(from_a, to_a)), *((None, j) for j in range(from_b, to_b))]


def _in_order(from_a: int, to_a: int, from_b: int, to_b: int, may_pair: MayPair) -> list[Pair]:
    """Pair what stands at the same place of a gap: of one that leaves no choice, or is too large to be tried."""
    length = min(to_a - from_a, to_b - from_b)
    pairs: list[Pair] = []
    for i, j in zip(range(from_a, from_a + length), range(from_b, from_b + length), strict=True):
        pairs += [(i, j)] if may_pair(i, j) else [(i, None), (None, j)]
    return pairs + _alone(from_a + length, to_a, from_b + length, to_b)


def _most_alike(from_a: int, to_a: int, from_b: int, to_b: int, likeness: Likeness) -> list[Pair]:
    rows, columns = to_a - from_a, to_b - from_b
    like = [[likeness(from_a + i, from_b + j) for j in range(columns)] for i in range(rows)]
    best = [[0.0] * (columns + 1) for _ in range(rows + 1)]  # of what is left behind each cell
    for i in reversed(range(rows)):
        for j in reversed(range(columns)):
            paired = like[i][j] + best[i + 1][j + 1] if like[i][j] > 0 else -1.0
            best[i][j] = max(paired, best[i + 1][j], best[i][j + 1])
    pairs: list[Pair] = []
    i = j = 0
    while i < rows and j < columns:
        if like[i][j] > 0 and best[i][j] == like[i][j] + best[i + 1][j + 1]:
            pairs.append((from_a + i, from_b + j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            pairs.append((from_a + i, None))
            i += 1
        else:
            pairs.append((None, from_b + j))
            j += 1
    return pairs + _alone(from_a + i, to_a, from_b + j, to_b)
