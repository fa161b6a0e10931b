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
