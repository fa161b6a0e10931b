"""(2) What turn 10, 100, 1,000 and 10,000 of one session cost, and (4) memory after 10,000 and after 100,000 turns."""

from common import median, process_s, provider, rss_mib, say, temporary, thread_s
from opentelemetry import trace
from turn import by_events

import turnspan
from turnspan import SessionManager, SqlSessionStore, TurnRecord
from turnspan.recording import runtime

TURNS, WINDOW = 10_000, 100
MANY, EACH = 100_000, 100


def main() -> None:
    trace.set_tracer_provider(provider())
    turnspan.configure(home=temporary(), telemetry=False)
    own, whole, memory = {}, {}, {}
    with turnspan.session("bench"):
        for n in range(1, TURNS + 1):
            start, start_whole = thread_s(), process_s()
            by_events(n)
            own[n] = thread_s() - start
            if n % WINDOW == 0:
                runtime.flush(30)
                whole[n] = process_s() - start_whole
                memory[n] = rss_mib()
    turnspan.shutdown()
    marks = {}
    for mark in (10, 100, 1_000, 10_000):
        near = [own[n] for n in range(max(1, mark - WINDOW // 2), min(TURNS, mark + WINDOW // 2) + 1)]
        marks[mark] = median(near) * 1e6
    say(
        "(2) the cost of a turn late in its session (agent's thread, SQLite)",
        {f"turn {mark:,}, us": round(cost) for mark, cost in marks.items()}
        | {"turn 10,000 against turn 10 (at most 1.2)": round(marks[10_000] / marks[10], 2)},
    )
    store = SqlSessionStore(f"sqlite:///{temporary()}/s.db")
    manager = SessionManager(store)
    manager.start_session(session_id="s")
    costs = []
    for n in range(TURNS):
        start = thread_s()
        manager.record_turn("s", TurnRecord(f"t{n}", prompt="p" * 500, response_content="r" * 500))
        costs.append(thread_s() - start)
    first, last = median(costs[5:105]), median(costs[-100:])
    say(
        "(2) manager.record_turn on one session (SQLite)",
        {
            "turn 10, us": round(first * 1e6),
            "turn 10,000, us": round(last * 1e6),
            "ratio (at most 1.2)": round(last / first, 2),
        },
    )
    say(
        "(4) memory of the process, MiB",
        {
            "after 1,000 turns": round(memory[1_000], 1),
            "after 5,000 turns": round(memory[5_000], 1),
            "after 10,000 turns": round(memory[10_000], 1),
            "growth from 5,000 to 10,000, bytes per turn": round((memory[10_000] - memory[5_000]) * 2**20 / 5_000),
        },
    )
    many()


def many() -> None:
    """Record 100,000 turns in 1,000 sessions."""
    turnspan.configure(home=temporary(), telemetry=False)
    memory = {}
    for n in range(1, MANY + 1):
        if n % EACH == 1:
            session = turnspan.session(f"bench-{n // EACH}")
            session.__enter__()
        by_events(n, f"bench-{(n - 1) // EACH}")
        if n % EACH == 0:
            session.__exit__(None, None, None)
            runtime.flush(30)
            memory[n] = rss_mib()
    turnspan.shutdown()
    say(
        "(4) memory of a process that records 100,000 turns in 1,000 sessions, MiB",
        {
            **{f"after {mark:,} turns": round(memory[mark], 1) for mark in (10_000, 50_000, 100_000)},
            "growth from 50,000 to 100,000, bytes per turn": round(
                (memory[MANY] - memory[MANY // 2]) * 2**20 / (MANY // 2)
            ),
        },
    )


if __name__ == "__main__":
    main()
