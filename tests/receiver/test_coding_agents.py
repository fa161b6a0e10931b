"""What Codex and Gemini CLI report over OTLP is on record as Claude Code's is, each by its own ids."""

from receiver.test_serve import sessions
from support.coding_agents import CODEX, GEMINI, Codex, Gemini, codex_session, gemini_session
from support.otlp import post
from support.outlines import outline
from turnspan import Settings, verify


def test_codex_and_gemini_cli(serving):
    """Turns, tokens, tools with the decision about them, sub-agents, errors; joined with what the process before had."""
    serve, codex, gemini = serving(), codex_session(), gemini_session()
    for count in (6, 20):  # the second time with what was sent before
        for request in (Codex.request(*codex[:count]), Gemini.request(*gemini[:count])):
            assert post(serve.url, request, path="/v1/logs")[0] == 200
        assert serve.stop() == 0
        if count == 6:
            serve.start()
    found = {session.agent_id: session for session in sessions(serve)}
    assert outline([found["codex"]]) == CODEX
    assert outline([found["gemini"]]) == GEMINI
    report = verify(settings=Settings(home=serve.home))
    assert report.exit_code == 0, report
