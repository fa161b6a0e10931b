"""What a turn's length hangs on, and what of it happened at the same time."""

from turnspan.model.records import iso
from turnspan.reading.tree import TimelineNode
from turnspan.reading.waterfall import critical_path, parallel_groups, waterfall_of

BEGUN = 1_767_261_600_000_000_000


def node(name, begin_ms, end_ms, *children, kind="tool call", **recorded):
    took = None if end_ms is None else end_ms - begin_ms
    at = iso(BEGUN + begin_ms * 1_000_000)
    return TimelineNode(kind, name, "success", at, took, children=list(children), recorded=recorded)


def test_the_critical_path_is_what_ended_last():
    """Of two that ran at once the longer one counts, and inside of it likewise; what was done by then does not."""
    slow = node("slow", 10, 90, node("inner", 20, 80), kind="agent")
    turn = node("turn", 0, 100, node("model", 0, 10), node("fast", 10, 40), slow, node("last", 90, 100), kind="turn")
    assert {found.name for found in critical_path(turn)} == {"turn", "model", "slow", "inner", "last"}
    assert [bar.critical for bar in waterfall_of(turn).bars if bar.node.name == "fast"] == [False]


def test_siblings_that_overlap_stand_together():
    """What ran at the same time is one group; what only touches is not, nor is what takes no time."""
    nodes = [node("a", 0, 10), node("b", 10, 30), node("c", 12, 20), node("note", 15, None), node("d", 31, 40)]
    assert [[one.name for one in group] for group in parallel_groups(nodes)] == [["a"], ["b", "c"], ["note"], ["d"]]


def test_gaps_are_the_time_of_the_agents_own_code():
    """Where neither a model nor a tool was at work, nothing that was recorded went on."""
    turn = node(
        "turn", 0, 100, node("m", 10, 40, kind="model call", first_chunk_ms=5.0), node("t", 50, 90), kind="turn"
    )
    found = waterfall_of(turn)
    assert [(round(begin), round(end)) for begin, end in found.gaps] == [(0, 10), (40, 50), (90, 100)]
    assert round(found.gaps_ms) == 30
    assert [bar.first_chunk_ms for bar in found.bars] == [None, 5.0, None]
