"""The comparison of two runs: what differs is said, and nothing else."""

import copy
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from support.strategies import ANY_SESSION, CONVERSATIONS
from turnspan.analysis.alignment import align
from turnspan.analysis.comparison import compare_steps
from turnspan.analysis.leaves import opened, same
from turnspan.analysis.messages import without_ids
from turnspan.analysis.steps import content_of, steps_of
from turnspan.errors import UnreadableSessionError
from turnspan.model.records import SessionRecord
from turnspan.reading.tree import session_tree

MIRRORED = {"inserted": "dropped", "dropped": "inserted", "added": "removed", "removed": "added"}


def taken_apart(data):
    session = SessionRecord.from_dict(copy.deepcopy(data))
    return steps_of(session, session_tree(session))


def run(*steps, prompt="p"):
    """A session of one turn with tool calls: ``("look", {"id": 7}, "success")``."""
    calls = []
    for number, (name, arguments, status) in enumerate(steps):
        ours = {"started_at": f"2026-01-01T00:00:{number:02}+00:00", "audit_event_ids": [f"e-{number}"]}
        calls.append(
            {"call_id": f"c-{number}", "tool_name": name, "arguments": arguments, "status": status}
            | {"metadata": {"turnspan": ours}}
        )
    return taken_apart({"session_id": "s", "turns": [{"turn_id": "t", "prompt": prompt, "tool_calls": calls}]})


def said(found):
    """What differs, shortly."""
    return [
        (one.change, (one.b or one.a).name, [d.where for d in one.differences]) for one in found if one.change != "same"
    ]


def mirrored(one):
    turned = [(d.where, MIRRORED.get(d.change, d.change), repr(d.b), repr(d.a)) for d in one.differences]
    return (MIRRORED.get(one.change, one.change), _depth(one), id(one.b), id(one.a), tuple(sorted(turned)))


def _depth(one):
    return None if one.change == "reordered" else one.depth  # where B has it


def straight(one):
    own = [(d.where, d.change, repr(d.a), repr(d.b)) for d in one.differences]
    return (one.change, _depth(one), id(one.a), id(one.b), tuple(sorted(own)))


def everything(turns):
    return [step.ref for turn in turns for step in turn.walk()]


@given(CONVERSATIONS)
def test_a_run_does_not_differ_from_itself(data):
    """Read twice, with other ids and times, it is the same step by step."""
    again = copy.deepcopy(data)
    for turn in again["turns"]:
        turn["turn_id"] += "-again"
        turn["started_at"] = turn["ended_at"] = None
        for call in turn["tool_calls"]:
            call |= {"call_id": call["call_id"] + "-again", "duration_ms": 7.0}
            parent = call["metadata"]["turnspan"].get("parent_id")
            assert parent is None or parent.startswith("agent-")
    found = compare_steps(taken_apart(data), taken_apart(again))
    assert {one.change for one in found} <= {"same"}
    assert len(found) == len(everything(taken_apart(data)))


@given(CONVERSATIONS, CONVERSATIONS)
def test_each_step_of_both_is_there_once_and_the_mirror_says_the_same(a, b):
    """No step is lost or named twice; swapping the sides swaps what is said, and changes nothing else."""
    left, right = taken_apart(a), taken_apart(b)
    found = compare_steps(left, right)
    assert [one.b for one in found if one.b is not None] == everything(right)
    assert Counter(id(one.a) for one in found if one.a is not None) == Counter(map(id, everything(left)))
    assert Counter(map(straight, found)) == Counter(map(mirrored, compare_steps(right, left)))


@given(CONVERSATIONS, CONVERSATIONS)
def test_what_is_said_to_differ_makes_b_of_a(a, b):
    """Applied to a step of A, the differences give the step of B: nothing that differs is left unsaid."""
    left, right = taken_apart(a), taken_apart(b)
    by_ref = {id(step.ref): step for turn in (*left, *right) for step in turn.walk()}
    for one in compare_steps(left, right):
        if one.a is None or one.b is None:
            continue
        before, after = (_fields(by_ref[id(ref)]) for ref in (one.a, one.b))
        for difference in reversed(one.differences):
            _apply(before, difference)
        assert same(before, after)


def _fields(step):
    found = {"name": step.ref.name, "status": step.ref.status}
    for part, value in content_of(step.node).items():
        if value is not None:
            found[part] = without_ids(value) if part in ("messages", "output") else value
    return _opened(found)


def _opened(value):
    value = opened(value)
    if isinstance(value, dict):
        return {key: _opened(item) for key, item in value.items()}
    return [_opened(item) for item in value] if isinstance(value, list) else value


def _apply(fields, difference):
    *way, last = (difference.field, *difference.path)
    holder = fields
    for key in way:
        holder = holder[key]
    if difference.change == "removed":
        del holder[last]
    elif isinstance(holder, list) and difference.change == "added":
        holder.append(_opened(difference.b))
    else:
        holder[last] = _opened(difference.b)


def test_only_what_differs_is_said_with_the_place_inside_of_it():
    """A changed argument is one difference, whether arguments came as JSON text or not; ids and times are none."""
    a = run(("look", {"id": 7, "deep": [{"x": 1}]}, "success"))
    b = run(("look", '{"id": 8, "deep": [{"x": true}]}', "error"))
    assert said(compare_steps(a, b)) == [("changed", "look", ["status", "arguments.id", "arguments.deep[0].x"])]
    assert said(compare_steps(a, a, times=True)) == []


def test_a_call_that_was_made_again_after_it_failed_is_retried():
    """The attempt that one side has more is a retry, not something new; one that nothing follows is."""
    once = run(("pay", {"id": 7}, "success"))
    twice = run(("pay", {"id": 7}, "error"), ("pay", {"id": 7}, "success"))
    assert said(compare_steps(once, twice)) == [("retried", "pay", [])]
    assert said(compare_steps(twice, once)) == [("retried", "pay", [])]
    failed = run(("pay", {"id": 7}, "success"), ("pay", {"id": 9}, "error"))
    assert said(compare_steps(once, failed)) == [("inserted", "pay", [])]


def test_a_step_at_another_place_is_reordered():
    """What both sides did, at another time, is neither dropped nor inserted."""
    a = run(("look", {"id": 1}, "success"), ("pay", {"id": 2}, "success"), ("send", {"id": 3}, "success"))
    b = run(("pay", {"id": 2}, "success"), ("send", {"id": 3}, "success"), ("look", {"id": 1}, "success"))
    assert said(compare_steps(a, b)) == [("reordered", "look", [])]


def test_times_and_tokens_are_compared_where_that_is_asked_for():
    """They differ from run to run, so they are no differences by themselves."""
    data = {"session_id": "s", "turns": [{"turn_id": "t", "metadata": {"turnspan": {"model_calls": [{"model": "m"}]}}}]}
    other = copy.deepcopy(data)
    other["turns"][0]["metadata"]["turnspan"]["model_calls"] = [
        {"model": "m", "usage": {"input_tokens": 1}, "duration_ms": 2}
    ]
    a, b = taken_apart(data), taken_apart(other)
    assert said(compare_steps(a, b)) == []
    assert said(compare_steps(a, b, times=True)) == [("changed", "m", ["duration_ms", "usage"])]


def test_ids_that_clients_draw_anew_are_no_differences():
    """The ids of calls in messages are left out; an id that a tool was given is compared."""

    def asked(id_, arguments):
        return [{"role": "assistant", "tool_calls": [{"id": id_, "function": {"name": "pay", "arguments": arguments}}]}]

    assert same(without_ids(asked("c1", '{"id": 7}')), without_ids(asked("c2", '{"id": 7}')))
    assert not same(without_ids(asked("c1", '{"id": 7}')), without_ids(asked("c1", '{"id": 8}')))


def test_large_sessions_are_aligned_in_linear_time():
    """One turn more in the middle of 10,000 is one step that was inserted, whether the others are alike or not."""

    def turns(names):
        return taken_apart(
            {"session_id": "s", "turns": [{"turn_id": f"t{n}", "prompt": p} for n, p in enumerate(names)]}
        )

    numbered = [f"turn {number}" for number in range(10_000)]
    for names, more in ((numbered, "new"), (["again"] * 10_000, "again")):
        found = compare_steps(turns(names), turns([*names[:5000], more, *names[5000:]]))
        assert [one.change for one in found if one.change != "same"] == ["inserted"]


@given(st.lists(st.sampled_from("abcd")), st.lists(st.sampled_from("abcd")))
def test_an_alignment_keeps_the_order_of_both(a, b):
    """Each item of both lists is there once, in order, and what is equal is never put beside something else."""
    pairs = align(a, b, lambda i, j: float(a[i] == b[j]), lambda i, j: a[i] == b[j])
    assert [i for i, _ in pairs if i is not None] == list(range(len(a)))
    assert [j for _, j in pairs if j is not None] == list(range(len(b)))
    assert all(a[i] == b[j] for i, j in pairs if i is not None and j is not None)
    assert [(j, i) for i, j in pairs] == align(b, a, lambda i, j: float(b[i] == a[j]), lambda i, j: b[i] == a[j])


@given(ANY_SESSION, ANY_SESSION)
def test_whatever_stands_where_a_session_should_is_compared(a, b):
    """Other programs' records raise nothing, and do not differ from themselves."""
    try:
        left, right = taken_apart(a), taken_apart(b)
    except (UnreadableSessionError, KeyError):
        return
    compare_steps(left, right)
    assert all(one.change == "same" for one in compare_steps(left, left))
