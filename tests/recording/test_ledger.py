"""A state machine: whatever happens in whatever order, with crashes in between, all stores hold the same record of it.

The model is a plain dict of what was emitted. Events go through the real recorder into SQLite, files and memory; a
crash abandons the recorder without closing it, and recovery completes what was open.
"""

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from turnspan import FileSessionStore, InMemorySessionStore, SqlSessionStore
from turnspan.events import (
    HandedOff,
    ModelCallEnded,
    ModelCallStarted,
    Noted,
    ToolCallEnded,
    ToolCallStarted,
    TurnEnded,
    TurnStarted,
    Usage,
)
from turnspan.recording.recorder import Recorder
from turnspan.recording.recovery import recover
from turnspan.settings import Settings
from turnspan.stores.merging import apply
from turnspan.verification.verifier import Verifier

TEXT = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00"), max_size=5
)  # NUL is escaped before anybody sees it
INTEGERS = st.integers(-(2**63), 2**63)  # what is longer becomes text, for other readers of JSON


class ThreeStores(InMemorySessionStore):
    """Applies each batch to all three kinds of store."""

    def __init__(self, folder):
        super().__init__()
        self.others = [SqlSessionStore(f"sqlite:///{folder}/s.db"), FileSessionStore(folder / "files")]

    def apply(self, changes):
        super().apply(changes)
        for other in self.others:
            apply(other, changes)


class Machine(RuleBasedStateMachine):
    turns = Bundle("turns")
    calls = Bundle("calls")

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="turnspan-fold-"))
        self.store = ThreeStores(self.folder)
        self.model = {}
        self.count = 0
        self.start()

    def start(self):
        self.recorder = Recorder(
            Settings.read(home=self.folder / "home", strict=True, log="off"), self.store, recovers=False
        )

    def teardown(self):
        self.prove()
        self.recorder.close()
        for store in (self.store, *self.store.others):
            report = Verifier(store).verify()
            assert report.proven or not report.events, report.findings
        self.store.others[0].close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @rule(target=turns, session=st.sampled_from("abc"), prompt=TEXT)
    def start_turn(self, session, prompt):
        self.count += 1
        turn = (session, f"t{self.count}")
        self.recorder.emit(TurnStarted(session_id=session, turn_id=turn[1], prompt=prompt, agent_id="x"))
        self.model[turn] = {"prompt": prompt, "status": "running", "calls": {}, "notes": [], "models": 0, "handoffs": 0}
        return turn

    @rule(target=calls, turn=turns, arguments=st.dictionaries(TEXT, INTEGERS | st.none(), max_size=2))
    def start_call(self, turn, arguments):
        self.count += 1
        call = f"c{self.count}"
        if self.model[turn]["status"] == "running":
            self.recorder.emit(
                ToolCallStarted(session_id=turn[0], turn_id=turn[1], call_id=call, tool_name="f", arguments=arguments)
            )
            self.model[turn]["calls"][call] = ["running", arguments, None]
        return turn, call

    @rule(call=consumes(calls), result=INTEGERS | TEXT | st.none())
    def end_call(self, call, result):
        (session, turn_id), call_id = call
        self.recorder.emit(ToolCallEnded(session_id=session, turn_id=turn_id, call_id=call_id, result=result))
        known = self.model[session, turn_id]["calls"].get(call_id)
        if known is not None and known[0] == "running":
            known[0], known[2] = "success", result

    @rule(turn=turns, tokens=st.integers(0, 9))
    def ask_model(self, turn, tokens):
        if self.model[turn]["status"] == "running":
            self.count += 1
            ids = {"session_id": turn[0], "turn_id": turn[1], "call_id": f"m{self.count}"}
            self.recorder.emit(ModelCallStarted(**ids, model="m"))
            self.recorder.emit(ModelCallEnded(**ids, usage=Usage(input_tokens=tokens)))
            self.model[turn]["models"] += 1

    @rule(turn=turns)
    def note_and_hand_off(self, turn):
        if self.model[turn]["status"] == "running":
            self.count += 1
            ids = {"session_id": turn[0], "turn_id": turn[1]}
            self.recorder.emit(Noted(**ids, name=f"n{self.count}"))
            self.recorder.emit(HandedOff(**ids, from_agent="x", to_agent=f"y{self.count}"))
            self.model[turn]["notes"].append(f"n{self.count}")
            self.model[turn]["handoffs"] += 1

    @rule(turn=turns, status=st.sampled_from(["success", "error", "cancelled"]))
    def end_turn(self, turn, status):
        self.recorder.emit(TurnEnded(session_id=turn[0], turn_id=turn[1], status=status, response_content=status))
        self.finish(turn, status)

    def finish(self, turn, status):
        known = self.model[turn]
        if known["status"] == "running":
            known["status"] = status
            for call in known["calls"].values():
                call[0] = "cancelled" if call[0] == "running" else call[0]

    @rule()
    def write(self):
        assert self.recorder.flush(20)

    @rule()
    def crash(self):
        """The process is gone: nothing is flushed, its lock is free, and somebody else recovers."""
        self.recorder.pipeline.writer._stopping = True
        self.recorder.pipeline.writer._wake.set()
        self.recorder.pipeline.writer._thread.join()
        self.recorder._closed = True
        self.recorder.pipeline.journal.forget()
        for found in recover(self.folder / "home/journal", self.store, "memory:"):
            assert found.problem is None
        for turn in list(self.model):
            self.finish(turn, "cancelled")
        self.start()

    @rule()
    def prove(self):
        """Folding the events again gives the live record, in every store, and no chain has a gap."""
        assert self.recorder.flush(20)
        for store in (self.store, *self.store.others):
            report = Verifier(store, journals=self.folder / "home/journal").verify()
            assert {verdict for counts in report.counts.values() for verdict in counts} <= {"ok", "pending"}, (
                report.findings
            )
            assert report.sessions == len({session for session, _ in self.model})

    @invariant()
    def all_stores_agree_with_the_model(self):
        assert self.recorder.flush(20)
        sessions = {session for session, _ in self.model}
        assert set(self.store.list_sessions()) == sessions
        for session_id in sessions:
            first = self.store.load_session(session_id)
            for other in self.store.others:
                assert other.load_session(session_id).to_dict() == first.to_dict()
            assert [(session_id, turn.turn_id) for turn in first.turns] == [t for t in self.model if t[0] == session_id]
            handoffs = sum(known["handoffs"] for turn, known in self.model.items() if turn[0] == session_id)
            assert len(first.agent_transitions) == handoffs
            for turn in first.turns:
                known = self.model[session_id, turn.turn_id]
                assert (turn.prompt, turn.status) == (known["prompt"], known["status"])
                got = {call.call_id: [call.status, call.arguments, call.result] for call in turn.tool_calls}
                assert got == known["calls"]
                ours = turn.metadata["turnspan"]
                assert len(ours.get("model_calls") or []) == known["models"]
                assert [note["name"] for note in ours.get("notes") or []] == known["notes"]
                assert len(set(turn.audit_event_ids)) == len(turn.audit_event_ids)
        rows = [row for session_id in sessions for row in self.store.audit_events(session_id)]
        recorded = {i for s in sessions for turn in self.store.load_session(s).turns for i in turn.audit_event_ids}
        assert {row.event_id for row in rows if row.turn_id} == recorded


TestFold = Machine.TestCase
TestFold.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
