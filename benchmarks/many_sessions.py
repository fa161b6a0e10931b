"""(8) One million turns in 100,000 sessions: what people ask for, against the same in a hundredth of it.

``python benchmarks/many_sessions.py [sqlite|postgresql] [turns]``; a million turns take some minutes to write. Each
figure is the median of many, each about something else; the turns of a session lie apart, as they do in real life.
"""

import random
import sys
import time

from common import Path, median, rss_mib, say, temporary

from turnspan.events import (
    ModelCallEnded,
    ModelCallStarted,
    SessionStarted,
    ToolCallEnded,
    ToolCallStarted,
    TurnEnded,
    TurnStarted,
    Usage,
)
from turnspan.journal.live import Journal, Position
from turnspan.model.ids import new_id
from turnspan.reading.pages import summaries
from turnspan.reading.places import hits
from turnspan.reading.reader import Reader
from turnspan.recording.ledger import Ledger
from turnspan.settings import Settings
from turnspan.stores import open_store
from turnspan.stores.base import SessionFilter

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

ASKED = 41
WORDS = [f"word{n}" for n in range(5000)]


def fill(store, turns, sessions, dice):
    """Write turns with a model call and a tool call; return some ids of all kinds, and the bytes of their JSON."""
    journal, ids, json_bytes, read = Journal(None), [], 0, 0
    ledger = Ledger(journal.id)
    for n in range(turns):
        of = {"session_id": f"session-{n % sessions:06}", "turn_id": new_id(), "agent_id": f"agent-{n % 7}"}
        call = f"call_{dice.getrandbits(64):016x}"
        text = " ".join(dice.choices(WORDS, k=12))
        failed = n % 500 == 0
        if n < sessions:
            journal.append(SessionStarted(session_id=of["session_id"], agent_id=of["agent_id"]), None)
        events = (
            TurnStarted(**of, prompt=f"Please look at {text}"),
            ModelCallStarted(**of, call_id="m", provider="openai", model="gpt-5"),
            ModelCallEnded(
                **of,
                call_id="m",
                output="Let me look.",
                response_id=f"resp_{dice.getrandbits(64):016x}",
                usage=Usage(input_tokens=100 + n % 900, output_tokens=20),
            ),
            ToolCallStarted(
                **of, call_id=call, tool_name=f"tool_{n % 50}", arguments={"query": text[:40], "limit": 20}
            ),
            ToolCallEnded(**of, call_id=call, result={"rows": [{"id": n, "text": text}]}),
            TurnEnded(
                **of,
                response_content="Found it.",
                status="error" if failed else "success",
                error=f"unlucky{n}" if failed else None,
            ),
        )
        for event in events:
            journal.append(event, None)
        if n % (turns // 200) == 0:
            ids += [of["turn_id"], call, events[0].event_id, events[3].event_id]
        if n % 300 == 299 or n == turns - 1:
            for line in journal.read(Position(0, 0), read)[0]:
                ledger.fold(line)
                read = line.sequence
            store.apply(ledger.take())
            ledger.sessions.due()  # as the writer does: it seals them
        if n % 100_000 == 99_999:
            print(f"  {n + 1} turns written, {rss_mib():.0f} MiB of memory", file=sys.stderr)
    some = [store.load_session(f"session-{dice.randrange(sessions):06}") for _ in range(20)]
    from turnspan.model.json_values import encode

    json_bytes = sum(len(encode(one.to_dict())) for one in some) / sum(len(one.turns) for one in some)
    return ids, json_bytes


def asked(run, what):
    took = []
    for one in what:
        began = time.perf_counter()
        run(one)
        took.append((time.perf_counter() - began) * 1000)
    return median(took)


def figures(store, ids, sessions, dice):
    def pages(**where):
        return lambda _: summaries(store, SessionFilter(**where))

    some = dice.choices(ids, k=ASKED)
    words = dice.choices(WORDS, k=ASKED)
    return {
        "show last": asked(lambda _: Reader(Settings.read(), store).session("last"), some),
        "find an id": asked(lambda one: hits(store, one), some),
        "find by its first 12 characters": asked(lambda one: hits(store, one[:12]), some),
        "first page of sessions": asked(pages(), some),
        "a page from the middle": asked(
            lambda _: summaries(store, SessionFilter(after=f"session-{dice.randrange(sessions):06}")), some
        ),
        "sessions with a failed turn (1 in 500)": asked(pages(status="error"), some),
        "sessions of one tool (1 in 50)": asked(pages(tool="tool_7"), some),
        "sessions of one agent (1 in 7)": asked(pages(agent_id="agent-3"), some),
        "turns of 1,000 tokens and more": asked(pages(min_tokens=1000), some),
        "search: a word (1 in 400)": asked(lambda one: summaries(store, SessionFilter(text=one)), words),
        "search: two words (1 in 170,000)": asked(
            lambda one: summaries(store, SessionFilter(text=f"{one} {WORDS[17]}")), words
        ),
        "search: a word that all turns have": asked(pages(text="please"), some),
        "search: a word that one turn has": asked(pages(text="unlucky500"), some),
        "search: a word that no turn has": asked(pages(text="nowhere"), some),
    }


def measured(kind, turns):
    sessions, dice = turns // 10, random.Random(5)
    server = None
    folder = temporary()
    if kind == "sqlite":
        url = f"sqlite:///{folder / 'many.db'}"
    else:
        from support import servers

        server = servers.Postgres(folder, shared_buffers="4GB")  # PostgreSQL advises a quarter of the memory
        server.start()
        url = server.url()
    store = open_store(url)
    began, before = time.perf_counter(), rss_mib()
    ids, json_bytes = fill(store, turns, sessions, dice)
    took, grown = time.perf_counter() - began, rss_mib() - before
    if server is None:
        size = sum(path.stat().st_size for path in folder.iterdir())
    else:
        server.sql("VACUUM ANALYZE")
        size = server.sql("SELECT pg_database_size(current_database())")[0][0]
    found = figures(store, ids, sessions, dice)
    store.close()
    if server is not None:
        server.stop()
    return found, {
        "written in, s": round(took),
        "memory grew by, MiB": round(grown),
        "KiB a turn": size / turns / 1024,
        "its JSON, KiB": json_bytes / 1024,
    }


def main():
    kinds = [sys.argv[1]] if len(sys.argv) > 1 else ["sqlite", "postgresql"]
    turns = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    for kind in kinds:
        few, _ = measured(kind, turns // 100)
        many, more = measured(kind, turns)
        say(
            f"(8) {turns:,} turns in {turns // 10:,} sessions in {kind}: ms at the median (at most 50; a hundredth of them)",
            {name: f"{many[name]:.1f}  ({few[name]:.1f})" for name in many}
            | {name: f"{value:.1f}" if isinstance(value, float) else value for name, value in more.items()},
        )


if __name__ == "__main__":
    main()
