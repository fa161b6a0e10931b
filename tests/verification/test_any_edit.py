"""Whatever somebody without the key does to a store: nothing is proven, and nothing is excused.

``SOAK_EDITS`` says how many different broken stores are looked at: 100 by default, 10,000 in ``make soak``.
"""

import contextlib
import json
import os
import shutil
import sqlite3
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from support.breaker import (
    RECORD,
    TABLES,
    append,
    columns_of,
    delete_session,
    forge_erasure,
    insert,
    opened,
    put_seal_in_metadata,
    rechain,
    rows_of,
    seal_for,
)
from turnspan.events import (
    AgentEnded,
    AgentStarted,
    HandedOff,
    ModelCallEnded,
    ModelCallStarted,
    Noted,
    SessionEnded,
    SessionStarted,
    ToolCallEnded,
    ToolCallStarted,
    TurnEnded,
    TurnStarted,
)
from turnspan.journal.hash_chain import Line, digest_of
from turnspan.journal.seals import Key
from turnspan.model.ids import new_id
from turnspan.model.json_values import encode
from turnspan.recording.ledger import Ledger
from turnspan.settings import Settings
from turnspan.stores import open_store
from turnspan.verification import verify

EDITS = int(os.environ.get("SOAK_EDITS", "100"))
STEPS = 20
COUNTERS = {("turns", "position"), ("agent_transitions", "position")}
OTHER_KEY = Key(b"the key of somebody else, long enough")
TEXTS = st.text(st.characters(min_codepoint=33, max_codepoint=0x24F), min_size=1, max_size=8)


@st.composite
def others(draw, value, type_):
    """Draw another value of the kind that a column has."""
    if value is None:
        return draw(st.integers(1, 999)) if type_.upper().startswith(("BIG", "INT", "DOUB", "SMALL", "BOOL")) else "x"
    if isinstance(value, (int, float)):
        return value + draw(st.integers(1, 10**6))
    if value[:1] in ("{", "["):
        found = json.loads(value)
        if isinstance(found, dict):
            return json.dumps({**found, draw(TEXTS): draw(TEXTS)})
        return json.dumps([*found, draw(TEXTS)])
    at = draw(st.integers(0, len(value) - 1)) if value else 0
    letter = draw(st.sampled_from("abcdef0123456789").filter(lambda c: c != value[at : at + 1]))
    return value[:at] + letter + value[at + 1 :]


def forged(session_id, turn_id, kind):
    """Return events of a kind, as nobody emitted them."""
    ids = {"session_id": session_id, "turn_id": turn_id, "agent_id": "mallory"}
    call = {**ids, "call_id": new_id()}
    return {
        "session.started": [SessionStarted(session_id=session_id, agent_id="mallory", metadata={"x": "y"})],
        "session.ended": [SessionEnded(session_id=session_id)],
        "turn": [
            TurnStarted(**{**ids, "turn_id": (new := new_id())}, prompt="?"),
            TurnEnded(**{**ids, "turn_id": new}, response_content="!"),
        ],
        "turn.ended": [TurnEnded(**ids, response_content="I said something else")],
        "agent": [AgentStarted(**call), AgentEnded(**call)],
        "model_call": [ModelCallStarted(**call, model="m"), ModelCallEnded(**call, output="!")],
        "tool_call": [ToolCallStarted(**call, tool_name="rm"), ToolCallEnded(**call, result=1)],
        "handed_off": [HandedOff(**ids, to_agent="mallory")],
        "noted": [Noted(**ids, name="approval", data="granted")],
        "noted in session": [Noted(session_id=session_id, name="erased", data={"events": 0, "payloads": {}})],
    }[kind]


KINDS = [
    "session.started",
    "session.ended",
    "turn",
    "turn.ended",
    "agent",
    "model_call",
    "tool_call",
    "handed_off",
    "noted",
    "noted in session",
]


class Breaker(RuleBasedStateMachine):
    """Breaks a copy of a signed store, each time in another way, and looks at what is said of it."""

    original: Path
    other: Path
    key: str
    folder: Path
    looked_at: dict[str, str]
    """The broken stores so far, by digest, with what was done to each: nothing is counted twice."""

    @initialize()
    def begin(self):
        self.home = self.folder / "home"
        if not self.home.exists():
            shutil.copytree(self.original, self.home)
        self.restore()
        self.settings = Settings.read(home=self.home)
        self.store = open_store(self.settings.store_url)

    def restore(self):
        with (
            contextlib.closing(sqlite3.connect(self.original / "sessions.db")) as source,
            contextlib.closing(sqlite3.connect(self.home / "sessions.db")) as target,
        ):
            source.backup(target)

    def broken(self, what):
        """Look at the broken store, and mend it."""
        with opened(self.home) as db:
            now = dump(db)
        digest = digest_of(repr(now).encode())
        if now != self.before and digest not in self.looked_at:
            self.looked_at[digest] = str(what[0])
            report = verify(settings=self.settings, store=self.store, key=self.key, spans="none")
            assert report.exit_code in (2, 3, 4), (what, report)
            assert not report.proven
        self.restore()

    def editing(self):
        with opened(self.home) as db:
            self.before = dump(db)
        return opened(self.home)

    @rule(data=st.data(), table=st.sampled_from(TABLES), again=st.booleans())
    def change_a_value(self, data, table, again):
        with self.editing() as db:
            row = data.draw(st.sampled_from(rows_of(db, table)))
            columns = [c for c in columns_of(db, table) if (table, c[0]) not in COUNTERS]
            column, type_ = data.draw(st.sampled_from(columns))
            value = data.draw(others(row[column], type_))
            try:
                write(db, table, row, {column: value})
            except sqlite3.IntegrityError:  # another row has it
                db.rollback()
                return
            if table == "audit_events" and again:
                rechain(db, row["journal"])
        self.broken((table, column, row[column], value))

    @rule(data=st.data(), table=st.sampled_from(TABLES), again=st.booleans())
    def delete_a_row(self, data, table, again):
        with self.editing() as db:
            row = data.draw(st.sampled_from(rows_of(db, table)))
            remove(db, table, row)
            if table == "audit_events" and again:
                rechain(db, row["journal"])
        self.broken(("deleted", table, row))

    @rule(data=st.data(), table=st.sampled_from(TABLES))
    def double_a_row(self, data, table):
        with self.editing() as db:
            row = data.draw(st.sampled_from(rows_of(db, table)))
            fresh = {name: new_id() for name in ("event_id", "key", "turn_id") if name in row}
            fresh |= {"position": 10_000} if "position" in row else {}
            fresh |= {"session_id": "copy"} if table == "sessions" else {}
            fresh |= {"sequence": 10_000} if "sequence" in row else {}
            insert(db, table, row | fresh)
        self.broken(("doubled", table, row))

    @rule(data=st.data(), table=st.sampled_from(TABLES))
    def swap_two_values(self, data, table):
        with self.editing() as db:
            rows = rows_of(db, table)
            one, two = data.draw(st.lists(st.sampled_from(rows), min_size=2, max_size=2, unique_by=repr))
            columns = [c for c, _ in columns_of(db, table) if (table, c) not in COUNTERS and one[c] != two[c]]
            column = data.draw(st.sampled_from(columns))
            try:
                write(db, table, one, {column: two[column]})
                write(db, table, two, {column: one[column]})
            except sqlite3.IntegrityError:
                db.rollback()
        self.broken(("swapped", table, column, one, two))

    @rule(data=st.data(), records=st.booleans(), metadata=st.booleans())
    def cut_a_chain(self, data, records, metadata):
        with self.editing() as db:
            journal = data.draw(st.sampled_from(journals(db)))
            last = db.execute("select max(sequence) from audit_events where journal = ?", (journal,)).fetchone()[0]
            keep = data.draw(st.integers(0, last - 1))
            drop(db, journal, keep, records=records, metadata=metadata)
        self.broken(("cut", journal, keep))

    @rule(data=st.data(), session_id=st.sampled_from(["a", "b", "c"]), removed=st.booleans())
    def delete_a_session(self, data, session_id, removed):
        del data
        with self.editing() as db:
            if not removed:
                delete_session(db, session_id)
        if removed:
            self.store.delete_session(session_id)
        self.broken(("session deleted", session_id, removed))

    @rule(
        data=st.data(),
        kind=st.sampled_from(KINDS),
        session_id=st.sampled_from(["a", "b", "new"]),
        own_chain=st.booleans(),
        sealed=st.sampled_from(["no", "unsigned", "another key"]),
        stored=st.booleans(),
    )
    def forge_events(self, data, kind, session_id, own_chain, sealed, stored):
        with self.editing() as db:
            turns = [row["turn_id"] for row in rows_of(db, "turns", "session_id = ?", session_id)] or [new_id()]
            events = forged(session_id, data.draw(st.sampled_from(turns)), kind)
            journal, added = append(db, events, new_id() if own_chain else data.draw(st.sampled_from(journals(db))))
            if stored:
                lines = [Line(n, "", own, digest_of(encode(event)), None, encode(event)) for n, own, event in added]
        if stored:
            ledger = Ledger(journal)
            for line in lines:
                ledger.fold(line)
            self.store.apply(ledger.take())
        if sealed != "no":
            with opened(self.home) as db:
                seal = seal_for(journal, added, session_id, OTHER_KEY if sealed == "another key" else None)
                append(db, [seal], journal)
                if rows_of(db, "sessions", "session_id = ?", session_id):
                    put_seal_in_metadata(db, session_id, journal, seal.data)
        self.broken(("forged", kind, session_id, own_chain, sealed, stored))

    @rule(session_id=st.sampled_from(["a", "b", "c"]), own_chain=st.booleans())
    def forge_an_erasure(self, session_id, own_chain):
        with self.editing() as db:
            forge_erasure(db, session_id, None if own_chain else journals(db)[-1])
        self.broken(("erasure", session_id, own_chain))

    @rule(tables=st.sampled_from([TABLES, ("audit_events",), ("audit_events", "sessions"), RECORD, ("sessions",)]))
    def replay_another_store(self, tables):
        with sqlite3.connect(self.other / "sessions.db") as source, self.editing() as db:
            source.row_factory = sqlite3.Row
            for table in tables:
                for row in rows_of(source, table):
                    keep = "call" in table
                    insert(db, table, {name: value for name, value in row.items() if keep or name != "position"})
        source.close()
        self.broken(("replayed", tables))

    @rule(table=st.sampled_from(TABLES))
    def empty_a_table(self, table):
        with self.editing() as db:
            db.execute(f"delete from {table}")
        self.broken(("emptied", table))

    @rule(session_id=st.sampled_from(["a", "b", "c"]))
    def reverse_the_turns(self, session_id):
        with self.editing() as db:
            db.execute("update turns set position = -position where session_id = ?", (session_id,))
        self.broken(("reversed", session_id))

    def teardown(self):
        self.store.close()


def dump(db):
    return {table: rows_of(db, table) for table in (*TABLES, "audit_removed")}


def journals(db):
    return [row[0] for row in db.execute("select distinct journal from audit_events order by journal")]


def identity(table):
    return {
        "sessions": ("session_id",),
        "turns": ("position",),
        "agent_transitions": ("position",),
        "audit_events": ("event_id",),
    }.get(table, ("session_id", "turn_id", "event_id"))


def remove(db, table, row):
    condition = " and ".join(f"{name} is ?" for name in identity(table))
    db.execute(f"delete from {table} where {condition}", [row[name] for name in identity(table)])


def write(db, table, row, values):
    condition = " and ".join(f"{name} is ?" for name in identity(table))
    settings_ = ", ".join(f'"{name}" = ?' for name in values)
    db.execute(
        f"update {table} set {settings_} where {condition}",
        [*values.values(), *(row[name] for name in identity(table))],
    )


def drop(db, journal, keep, *, records, metadata):
    """Cut a chain behind a line; with what its records and sessions say of the rest."""
    gone = rows_of(db, "audit_events", "journal = ? and sequence > ?", journal, keep)
    db.execute("delete from audit_events where journal = ? and sequence > ?", (journal, keep))
    if records:
        for turn_id in {row["turn_id"] for row in gone if row["turn_id"]}:
            for table in RECORD:
                db.execute(f"delete from {table} where turn_id = ?", (turn_id,))
    if metadata:
        for session_id in {row["session_id"] for row in gone}:
            db.execute(
                f"update sessions set metadata = json_remove(metadata, '$.turnspan.seals.\"{journal}\"')"
                " where session_id = ?",
                (session_id,),
            )


def test_no_edit_is_proven_or_excused(signed_home, other_home, key, tmp_path):
    """Rows, columns, tables, order, truncation, replay from another store, forged events of every kind."""
    Breaker.original, Breaker.other, Breaker.key, Breaker.folder = signed_home, other_home, key, tmp_path
    Breaker.looked_at = {}
    while len(Breaker.looked_at) < EDITS:  # hypothesis ends its examples when it likes, and does things twice
        before = len(Breaker.looked_at)
        run_state_machine_as_test(
            Breaker,
            settings=settings(
                max_examples=max(4, EDITS // STEPS),
                stateful_step_count=STEPS,
                deadline=None,
                derandomize=False,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
        assert len(Breaker.looked_at) > before
    kinds = Counter(Breaker.looked_at.values())
    print(f"{len(Breaker.looked_at)} different edits: {dict(kinds.most_common())}")
    if EDITS >= 1000:
        assert {"cut", "deleted", "doubled", "emptied", "erasure", "forged", "replayed", "reversed", "swapped"} <= set(
            kinds
        )


def test_every_kind_of_event_is_forged():
    """No kind of event is left out above."""
    from turnspan.events import KIND_OF
    from turnspan.events import KINDS as ALL

    made = {KIND_OF[type(event)] for kind in KINDS for event in forged("s", "t", kind)}
    assert made == set(ALL)


@pytest.mark.parametrize("kind", KINDS)
def test_a_forged_event_is_named(home, key, kind):
    """Each kind of event, at the end of a true chain, with right hashes."""
    with opened(home) as db:
        turn_id = rows_of(db, "turns", "session_id = 'a'")[0]["turn_id"]
        append(db, forged("a", turn_id, kind))
    report = verify(settings=Settings.read(home=home), key=key, spans="none", logs="none")
    assert report.exit_code in (2, 3)
