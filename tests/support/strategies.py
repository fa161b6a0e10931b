"""Strategies of hypothesis: records as JSON, as they should be and as they may be."""

from hypothesis import strategies as st

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
TEXT = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8
)  # NUL is escaped: no column takes it
IDS = st.text("abc1-", min_size=1, max_size=4)
MAPPING = st.dictionaries(TEXT, JSON, max_size=3)


def optional(**fields):
    """Each field missing, null or set."""
    return st.fixed_dictionaries({}, optional={name: st.none() | values for name, values in fields.items()})


def merged(required, fields):
    return st.tuples(st.fixed_dictionaries(required), fields).map(lambda pair: {**pair[0], **pair[1]})


CALLS = merged(
    {"call_id": IDS, "tool_name": IDS, "arguments": MAPPING},
    optional(
        result=JSON,
        status=IDS,
        error=TEXT,
        duration_ms=st.floats(0, 1e6),
        sandbox_context=TEXT,
        metadata=MAPPING,
    ),
)
TURNS = merged(
    {"turn_id": IDS},
    optional(
        agent_id=TEXT,
        prompt=TEXT,
        response_content=TEXT,
        tool_calls=st.lists(CALLS, max_size=2),
        started_at=TEXT,
        ended_at=TEXT,
        status=IDS,
        error=TEXT,
        audit_event_ids=st.lists(IDS, max_size=3),
        metadata=MAPPING,
    ),
)
HANDOFFS = merged(
    {"to_agent": IDS},
    optional(from_agent=TEXT, reason=TEXT, turn_id=IDS, timestamp=TEXT),
)
SESSIONS = merged(
    {"session_id": IDS},
    optional(
        workspace_id=TEXT,
        created_at=TEXT,
        updated_at=TEXT,
        agent_id=TEXT,
        turns=st.lists(TURNS, max_size=2),
        agent_transitions=st.lists(HANDOFFS, max_size=2),
        metadata=MAPPING,
        parent_session_id=TEXT,
    ),
)

ANY_TURNSPAN = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys("started_at trace_id span_id parent_id seals notes agents".split(), JSON),
        "audit_event_ids": JSON | st.lists(JSON, max_size=2),
        "model_calls": JSON
        | st.lists(
            JSON
            | st.fixed_dictionaries(
                {},
                optional={
                    **dict.fromkeys(
                        "model provider response_id response_model status error duration_ms trace_id".split(), JSON
                    ),
                    "usage": JSON
                    | st.dictionaries(st.sampled_from(["input_tokens", "output_tokens"]), JSON, max_size=2),
                    "audit_event_ids": JSON | st.lists(JSON, max_size=2),
                },
            ),
            max_size=2,
        ),
    },
)
ANY_METADATA = JSON | st.fixed_dictionaries({"turnspan": JSON | ANY_TURNSPAN})
ANY_CALL = st.fixed_dictionaries(
    {"call_id": IDS, "tool_name": IDS},
    optional={
        **dict.fromkeys("arguments result status error duration_ms sandbox_context".split(), JSON),
        "metadata": ANY_METADATA,
    },
)
ANY_TURN = st.fixed_dictionaries(
    {"turn_id": IDS},
    optional={
        **dict.fromkeys("agent_id prompt response_content started_at ended_at status error".split(), JSON),
        "metadata": ANY_METADATA,
        "audit_event_ids": JSON | st.lists(JSON, max_size=2),
        "tool_calls": JSON | st.lists(ANY_CALL, max_size=2),
    },
)
ANY_HANDOFF = st.fixed_dictionaries(
    {"to_agent": IDS}, optional=dict.fromkeys(("from_agent", "reason", "turn_id", "timestamp"), JSON)
)
ANY_SESSION = st.fixed_dictionaries(
    {"session_id": IDS | JSON},
    optional={
        **dict.fromkeys(("workspace_id", "created_at", "updated_at", "agent_id"), JSON),
        "metadata": ANY_METADATA,
        "agent_transitions": JSON | st.lists(ANY_HANDOFF, max_size=2),
        "turns": JSON | st.lists(ANY_TURN, max_size=2),
    },
)
"""What may stand where a session should: any JSON in any field."""


# What agents do: few words and names, so that much is alike, repeated, quoted, failed and tried again
SAID = st.lists(st.sampled_from("refund invoice INV-2041 42.00 7 17 the bank Grüße 東京 a".split()), max_size=8).map(
    " ".join
)
_TOOL = st.fixed_dictionaries(
    {
        "tool_name": st.sampled_from(["look", "pay"]),
        "arguments": st.dictionaries(
            st.sampled_from(["id", "x"]), SAID | st.sampled_from([7, 42.0, True]) | JSON, max_size=2
        ),
        "result": SAID | st.none() | JSON,
        "status": st.sampled_from(["success", "error"]),
    }
)
_ANSWER = st.fixed_dictionaries(
    {"messages": SAID.map(lambda text: [{"role": "user", "content": text}]), "output": SAID}
)
_RUN = st.lists(
    st.fixed_dictionaries(
        {"prompt": SAID, "response_content": SAID | st.none(), "steps": st.lists(_TOOL | _ANSWER, max_size=5)}
    ),
    max_size=4,
)


def _conversation(run):
    """Make a session of what happened: an event, a call and a second for each step, some inside of an agent."""
    turns, second = [], 0
    for number, given in enumerate(run):
        tools, models, begun = [], [], second
        agent = {"call_id": f"agent-{number}", "agent_id": "helper", "started_at": _at(second), "duration_ms": 1.0}
        for step in given["steps"]:
            second += 1
            ours = {"started_at": _at(second), "audit_event_ids": [f"event-{second}", f"end-{second}"]}
            if second % 3 == 0:
                ours["parent_id"] = agent["call_id"]
            if "tool_name" in step:
                tools.append(
                    {**step, "call_id": f"call-{second}", "duration_ms": 500.0, "metadata": {"turnspan": ours}}
                )
            else:
                models.append({**step, **ours, "model": "m", "call_id": f"call-{second}", "duration_ms": 500.0})
        turns.append(
            {
                "turn_id": f"turn-{number}",
                "agent_id": "triage",
                "prompt": given["prompt"],
                "response_content": given["response_content"],
                "tool_calls": tools,
                "started_at": _at(begun),
                "ended_at": _at(second + 1),
                "metadata": {"turnspan": {"model_calls": models, "agents": [agent] if given["steps"] else []}},
            }
        )
        second += 2
    return {"session_id": "s", "turns": turns}


def _at(second):
    return f"2026-01-01T00:{second // 60:02}:{second % 60:02}+00:00"


CONVERSATIONS = _RUN.map(_conversation)
