"""What runs is shown while it runs, as far as what came shows; it is on record once, when its first span has come."""

import json
import urllib.request

from support.otlp import agent, chat, request, sent, span, tool
from support.outlines import outline
from support.programs import turnspan
from support.serving import until
from turnspan import Settings, SqlSessionStore
from turnspan.receiver.running import RunningTraces

SAYS = {
    "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": "Which invoices?"}]}])
}
KEY = "sk-proj-" + "a1B2c3D4" * 6
PART = [
    chat(1, 2, 1, start_ms=1, **{"gen_ai.conversation.id": "s-1", **SAYS}),
    tool(1, 4, 3, start_ms=21, **{"gen_ai.tool.call.arguments": json.dumps({"key": KEY})}),
    agent(1, 5, 1, name="billing", start_ms=70, ms=20),
    chat(1, 6, 5, start_ms=71),
]
REST = [
    agent(1, 1, 9, session="s-1", **SAYS),
    span(1, 3, 1, "GET db", start_ms=20, ms=40),
    span(1, 9, name="POST", ms=120),
]
RUNNING = """
session s-1
  turn RUNNING
    > Which invoices?
    model gpt-5 10+2
    tool search(key=[redacted key])
    agent billing
      model gpt-5 10+2
""".strip()


def page(serve, path):
    with urllib.request.urlopen(f"{serve.url}{path}", timeout=30) as answer:
        return answer.read().decode()


def test_a_turn_is_shown_while_it_runs_and_recorded_once(serving):
    """On the page, in lists and in `show`, beside what is stored; redacted, and nowhere any more once it is on record."""
    serve = serving()
    env = {"TURNSPAN_HOME": str(serve.home)}
    sent(serve.url, request(agent(7, 1, session="s-1"), *PART))

    def listed():
        return json.loads(turnspan("sessions", "--status", "running", "--json", env=env, check=True).stdout)["sessions"]

    (line,) = until(listed)
    assert (line["session_id"], line["turns"], line["tokens"]) == ("s-1", 2, 24)
    shown = turnspan("show", "s-1", env=env, check=True).stdout
    assert "running" in shown and "Which invoices?" in shown and KEY not in shown
    assert "s-1" in page(serve, "/sessions?status=running")
    shown = page(serve, "/sessions/s-1")
    assert "Which invoices?" in shown and "running" in shown and KEY not in shown
    sent(serve.url, request(*REST))
    until(lambda: not listed())
    serve.stop()
    store = SqlSessionStore(f"sqlite:///{serve.home / 'sessions.db'}")
    (session,) = [store.load_session(one) for one in store.list_sessions()]
    store.close()
    assert [turn.status for turn in session.turns] == ["success", "success"]
    assert outline([session]).count("model gpt-5") == 2
    assert outline([session]).count("turn triage") == 2


def test_what_runs_is_read_from_the_spool(tmp_path):
    """A session that nothing is stored of yet; whoever sends what cannot be read costs nobody else's turn."""
    from turnspan.receiver import otlp
    from turnspan.receiver.limits import Limits
    from turnspan.receiver.spool import Spool

    spool = Spool(tmp_path / "received.db")
    assert RunningTraces(tmp_path / "none.db", Settings(home=tmp_path)).sessions() == []
    for spans in (PART, [chat(3, 2, 1, **{"gen_ai.response.finish_reasons": 7})], [span(4, 2, 1)]):
        spool.accept(
            otlp.taken_of(otlp.parsed("traces", json.dumps(request(*spans)).encode(), otlp.JSON), Limits()).spans
        )
    running = RunningTraces(tmp_path / "received.db", Settings(home=tmp_path), after_ms=0)
    found = {session.session_id: session for session in running.sessions()}
    assert set(found) == {"s-1", f"{3:032x}", f"{4:032x}"}
    assert outline([found["s-1"]]) == RUNNING
    spool.close()
