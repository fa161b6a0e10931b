"""Who worked for whom."""

from turnspan.reading.agent_graph import Way, agent_graph
from turnspan.reading.tree import TimelineNode


def node(kind, name, *children, status="success", agent=None, ms=10.0):
    return TimelineNode(kind, name, status, "", ms, agent_id=agent, children=list(children))


def test_handoffs_and_calls_are_told_apart_and_counted():
    """An agent that was handed over to was not called; a sub-agent was; what each did counts for itself."""
    billing = node(
        "agent", "billing", node("tool call", "refund", status="error"), node("model call", "m"), agent="billing"
    )
    helper = node("agent", "helper", node("tool call", "look"), agent="helper")
    turn = node(
        "turn", "triage", node("model call", "m"), node("handoff", "triage -> billing"), billing, helper, agent="triage"
    )
    graph = agent_graph([turn, turn])
    assert graph.ways == {Way("triage", "billing", "handed over"): 2, Way("triage", "helper", "called"): 2}
    found = {name: (a.turns, a.runs, a.model_calls, a.tool_calls, a.failed) for name, a in graph.agents.items()}
    assert found == {"triage": (2, 0, 2, 0, 0), "billing": (0, 2, 2, 2, 2), "helper": (0, 2, 0, 2, 0)}


def test_a_handoff_from_nobody_is_from_who_was_at_work():
    """Runtimes that do not say who hands over are read by where it happened."""
    turn = node("turn", "triage", node("handoff", "? -> billing"), agent="triage")
    assert list(agent_graph([turn]).ways) == [Way("triage", "billing", "handed over")]
