"""What earlier versions stored is read, recovered, proven and continued by this one."""

import json
from pathlib import Path

import pytest

import turnspan
from support.programs import turnspan as command
from support.samples import unpack
from turnspan import FileSessionStore, Settings
from turnspan.stores import Appends, Audited, open_store

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.tar.gz"))


@pytest.fixture(params=SAMPLES, ids=lambda path: path.name)
def old(request, tmp_path):
    """Unpack a sample."""
    unpack(request.param, tmp_path)
    return tmp_path


def recover(home):
    """Store what waits in the store of this home, which has moved since."""
    done = command("recover", "--home", home, "--store", Settings.read(home=home).store_url)
    assert done.returncode == 0, done.stderr


def test_its_sessions_are_read_whole(old):
    """Each field of a turn with one of everything, by id and by search."""
    session = turnspan.get("support-42", home=old / "home")
    assert (session.workspace_id, session.agent_id, session.metadata["channel"]) == ("acme", "triage", "mail")
    turn = next(turn for turn in session.turns if turn.response_content)
    assert (turn.prompt, turn.status, turn.agent_id) == ("I paid invoice 7 twice", "success", "triage")
    assert [(c.tool_name, c.status, c.arguments, c.result) for c in turn.tool_calls] == [
        ("find_invoice", "success", {"number": "7"}, {"number": "7", "paid": 2}),
        ("refund", "error", {"number": "7"}, None),
    ]
    ours = turn.metadata["turnspan"]
    (model,) = ours["model_calls"]
    assert (model["model"], model["provider"], model["response_id"]) == ("gpt-5", "openai", "resp-1")
    assert model["usage"] == {"input_tokens": 120, "output_tokens": 20, "cache_read_tokens": 100}
    assert [(note["name"], note["data"]) for note in ours["notes"]] == [("approval", {"by": "ann", "granted": True})]
    assert {agent["agent_id"] for agent in ours["agents"]} == {"auditor", "billing"}
    handoff = session.agent_transitions[0]
    assert (handoff.from_agent, handoff.to_agent, handoff.reason) == ("triage", "billing", "it is about money")
    assert turnspan.get("helper", home=old / "home").parent_session_id == "support-42"
    assert [one.session_id for one in turnspan.sessions(text="invoice twice", home=old / "home")] == ["support-42"]
    assert turnspan.get(turn.audit_event_ids[3], home=old / "home").session_id == "support-42"


def test_reading_it_leaves_it_as_it_is(old):
    """Its database is of the version before also behind a reading command: byte for byte what it was."""
    path = Path(Settings.read(home=old / "home").store_url.removeprefix("sqlite:///"))
    before = path.read_bytes()
    done = command("show", "support-42", "--home", old / "home")
    assert done.returncode == 0, done.stderr
    assert "I paid invoice 7 twice" in done.stdout
    assert path.read_bytes() == before


def test_its_dead_process_is_recovered(old):
    """The journal that waits is stored and completed: what was open is cancelled, with the reason."""
    recover(old / "home")
    (turn,) = turnspan.get("crashed", home=old / "home").turns
    assert (turn.status, turn.prompt) == ("cancelled", "never answered")
    assert turn.metadata["turnspan"]["interrupted"] == "the process died"
    assert [(call.tool_name, call.status) for call in turn.tool_calls] == [("slow", "cancelled")]


def test_its_proof_still_holds(old):
    """Nothing is altered, missing or unlike its events, only because the version has changed."""
    recover(old / "home")
    report = turnspan.verify(settings=Settings.read(home=old / "home"))
    assert report.events > 40
    assert report.exit_code < 2, [finding.says for finding in report.findings]


def test_it_goes_on(old):
    """A program of this version continues the session, in the same database."""
    turnspan.configure(home=old / "home", telemetry=False)
    with turnspan.session("support-42"), turnspan.turn(agent="triage", prompt="one more"):
        pass
    turnspan.shutdown()
    session = turnspan.get("support-42", home=old / "home")
    assert session.turns[-1].prompt == "one more"
    assert session.turns[0].prompt == "I paid invoice 7 twice"


def test_its_session_files_are_read_and_go_on(old):
    """With their audit rows, through a store of this version."""
    store = FileSessionStore(old / "files")
    session = store.load_session("by-hand")
    (turn,) = session.turns
    assert (turn.prompt, turn.tool_calls[0].duration_ms, session.metadata["ended"]) == ("Hi", 3.5, True)
    assert {row.event_id for row in store.audit_events("by-hand")} >= set(turn.audit_event_ids) != set()
    manager = turnspan.SessionManager(store)
    manager.record_turn("by-hand", turnspan.TurnRecord("t-2", prompt="again"))
    assert [one.turn_id for one in store.load_session("by-hand").turns] == ["t-1", "t-2"]


def test_its_home_has_what_the_present_one_has(old):
    """Each file of it is one that settings name; none is orphaned by a path that moved."""
    settings = Settings.read(home=old / "home")
    assert settings.journal_path.is_dir()
    for path in (settings.spans_path, settings.log_path):
        assert [json.loads(line) for line in path.read_text().splitlines()]
    store = open_store(settings.store_url)
    assert isinstance(store, Appends) and isinstance(store, Audited)
    store.close()
