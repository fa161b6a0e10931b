"""The same program, recorded in its process and over OTLP, gives the same record."""

import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from support.outlines import outline
from support.programs import run
from turnspan import SqlSessionStore

EXAMPLES = Path(__file__).parents[2] / "examples"


def _outline(home):
    path = home / "sessions.db"
    if not path.exists():
        return ""
    with closing(SqlSessionStore(f"sqlite:///{path}")) as store:
        return outline(store.load_session(one) for one in store.list_sessions())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("example", "needs"),
    [("openai_agents_triage", "agents"), ("openai_loop", "openai"), ("anthropic_loop", "anthropic"), ("langgraph_agent", "langgraph")],
)  # fmt: skip
def test_a_program_gives_the_same_record_over_otlp(example, needs, serving, tmp_path):
    """Up to what the guide says: the transfer of a handoff is a tool there."""
    pytest.importorskip(needs)
    serve, own = serving(), tmp_path / "own"
    content = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "span_only"}
    env = {"TURNSPAN_HOME": str(own), "OTEL_EXPORTER_OTLP_ENDPOINT": serve.url, **content}
    run(sys.executable, "-m", "turnspan", "run", EXAMPLES / f"{example}.py", env=env, check=True)
    expected = _outline(own).replace("handoff triage -> billing", "tool transfer_to_billing()")
    for _ in range(60):
        if _outline(serve.home) == expected:
            break
        time.sleep(0.5)
    serve.stop()
    assert _outline(serve.home) == expected
