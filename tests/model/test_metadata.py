"""``metadata["turnspan"]``, the stored format, is what its schema says: whatever was recorded, by whatever way."""

import contextvars
from pathlib import Path
from typing import get_args, get_type_hints

import msgspec
import pytest

import turnspan
from support.samples import unpack
from turnspan import events
from turnspan.model import metadata as schema
from turnspan.model.metadata import SCHEMA, SCHEMA_VERSION
from turnspan.stores import open_store

SAMPLES = sorted((Path(__file__).parents[1] / "samples").glob("*.tar.gz"))


def problems_of(session):
    """Return what in a session's metadata is not as the schema says: keys it does not have, values of other types."""
    found = []

    def check(kind, where, value):
        hints = get_type_hints(SCHEMA[kind])
        found.extend(f"{where}: {key} is not in the schema" for key in value.keys() - hints.keys())
        try:
            msgspec.convert(value, SCHEMA[kind])
        except msgspec.ValidationError as error:
            found.append(f"{where}: {error}")

    check("session", session.session_id, session.metadata.get("turnspan", {}))
    for turn in session.turns:
        ours = turn.metadata.get("turnspan", {})
        check("turn", turn.turn_id, ours)
        for kind, name in (("model call", "model_calls"), ("agent", "agents"), ("note", "notes")):
            for item in ours.get(name, []):
                check(kind, f"{turn.turn_id} {name}", item)
        for call in turn.tool_calls:
            check("tool call", call.call_id, call.metadata.get("turnspan", {}))
    return found


def test_what_is_recorded_by_hand_is_as_the_schema_says(recording):
    """One of everything: failures, sub-agents, handoffs, notes, families of sessions, odd ids, late ends."""
    with turnspan.session("parent\x00", workspace_id="w", metadata={"mine": 1}), turnspan.turn(agent="a") as turn:
        with turnspan.model_call("m", provider="p", messages=[{"role": "user"}], streamed=True) as call:
            call.usage = turnspan.Usage(input_tokens=1, output_tokens=2, reasoning_tokens=1)
            call.response_model, call.response_id, call.finish_reasons, call.output = "m-1", "r", ["stop"], {"a": [1]}
        with pytest.raises(KeyError), turnspan.model_call():
            raise KeyError("no")
        with turnspan.agent("helper", description="helps") as agent, turnspan.tool("t"):
            agent.response = "helped"
        with pytest.raises(ValueError), turnspan.agent("broken"), turnspan.tool("t"):
            raise ValueError("no")
        turn.handoff("b", reason="r")
        turn.note("approval", {"by": 1})
        with turnspan.session("child"), turnspan.turn():
            pass
        turn.response = "done"

    def leave_open():
        turnspan.turn(agent="open").__enter__()
        turnspan.tool("open").__enter__()

    contextvars.copy_context().run(leave_open)
    recording.recorder.close()
    kept = [recording.store.load_session(name) for name in recording.store.list_sessions()]
    assert [problem for session in kept for problem in problems_of(session)] == []
    ours = {key for session in kept for key in session.metadata["turnspan"]}
    assert ours >= {
        "schema_version",
        "session_id_from",
        "session_id_given",
        "parent_session_id",
        "root_session_id",
        "seals",
    }
    assert any(turn.metadata["turnspan"].get("interrupted") for session in kept for turn in session.turns)


def test_every_key_of_the_schema_is_one_that_is_stored():
    """The schema promises nothing that nobody writes."""
    source = "\n".join(
        path.read_text() for path in Path(turnspan.__file__).parent.rglob("*.py") if path.name != "metadata.py"
    )
    keys = {key for kind in SCHEMA.values() for key in get_type_hints(kind)} - {"schema_version"}
    assert {key for key in keys if f'"{key}"' not in source and f"{key}=" not in source} == set()


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_what_earlier_versions_stored_is_as_the_schema_says(path, tmp_path):
    """Their keys mean the same; a session of theirs has no version, which is version 1."""
    unpack(path, tmp_path)
    store = open_store(f"sqlite:///{tmp_path}/home/sessions.db")
    sessions = [store.load_session(name) for name in store.list_sessions()]
    store.close()
    assert [problem for session in sessions for problem in problems_of(session)] == []
    assert {schema.metadata_of_session(session).get("schema_version", 1) for session in sessions} <= {
        *range(1, SCHEMA_VERSION + 1)
    }


def test_a_session_carries_the_version_that_it_began_under(recording):
    """A process of a newer version that goes on with it changes nothing of that."""
    with turnspan.session("s"), turnspan.turn():
        pass
    assert schema.metadata_of_session(recording.session)["schema_version"] == SCHEMA_VERSION == 1
    assert schema.metadata_of_turn(recording.turn)["trace_id"] == recording.turn.metadata["turnspan"]["trace_id"]


def test_the_sources_of_session_ids_are_those_of_the_events():
    """The format names the same values as the event that they come from."""
    hints = get_type_hints(schema.SessionMetadata)
    assert get_args(hints["session_id_from"]) == get_args(events.SessionSource)


def test_every_key_is_documented():
    """In the reference, with what it means, made from the schema itself."""
    page = (Path(__file__).parents[2] / "docs/reference/stored-format.md").read_text()
    for kind in SCHEMA.values():
        for key in get_type_hints(kind):
            assert f"| `{key}` |" in page, key
