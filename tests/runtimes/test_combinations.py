"""Every runtime over the wire, in every company: its client watched too or not, another instrumentation beside it or
not, and the program's own tracer provider never, before the first call, or after it."""

import importlib
import itertools
import json
from importlib.util import find_spec

import pytest

from support.combinations import PROMPTS, Combination, Player
from turnspan import Settings, SqlSessionStore, verify
from turnspan.model.records import TurnRecord
from turnspan.telemetry.otlp_json import spans_in

pytestmark = pytest.mark.slow
RUNTIMES = {
    "openai_wire": ["ChatOverTheWire", "ResponsesOverTheWire"],
    "anthropic_wire": ["MessagesOverTheWire"],
    "openai_agents_wire": ["AgentsOverTheWire", "AgentsResponsesOverTheWire"],
    "pydantic_ai_wire": ["PydanticOverTheWire"],
    "pydantic_ai_anthropic_wire": ["PydanticAnthropicOverTheWire"],
    "langgraph_wire": ["LangGraphOverTheWire"],
    "langgraph_anthropic_wire": ["LangGraphAnthropicOverTheWire"],
    "xerxes_wire": ["XerxesOverTheWire"],
    "oats_wire": ["OatsOverTheWire"],
}
BESIDE = {None: "genai", "before": "openinference", "after": "openllmetry"}
"""Which other instrumentation is there, so that each is with each runtime once."""


def _combinations(module):
    for watch in ("all",) if module in ("openai_wire", "anthropic_wire") else ("all", "-openai,-anthropic"):
        for provider, other in BESIDE.items():
            for beside in (None,) if "anthropic" in module else (None, other):
                yield Combination(watch, beside, provider)


def pytest_generate_tests(metafunc):
    params = []
    for module, drivers in RUNTIMES.items():
        for driver, combination in itertools.product(drivers, _combinations(module)):
            params.append(pytest.param((module, driver, combination), id=f"{driver}-{combination}"))
    metafunc.parametrize("played", params, indirect=True, scope="session")


@pytest.fixture(scope="session")
def players():
    """The runtimes that were imported, by driver."""
    made: dict[str, Player] = {}
    yield made
    for player in made.values():
        player.close()


@pytest.fixture(scope="session")
def played(request, players, tmp_path_factory):
    """What was played, without turnspan and with it, and where."""
    module, driver, combination = request.param
    try:
        importlib.import_module(f"support.drivers.{module}")
    except ModuleNotFoundError as missing:
        pytest.skip(f"{missing.name} is not installed")
    if combination.beside and find_spec("openinference") is None:
        pytest.skip("the other instrumentations are not installed")
    player = players.get(driver) or players.setdefault(driver, Player(module, driver))
    folder = tmp_path_factory.mktemp("played")
    plain = player.play(Combination(None, combination.beside, combination.provider), folder / "plain")
    return plain, player.play(combination, folder / "seen"), folder / "seen" / "home"


def test_the_program_goes_on_as_without_turnspan(played):
    """Its answers, its output, its warnings, what is logged as one."""
    plain, seen, _ = played
    assert seen.said == plain.said == ["one", "two"]
    assert seen.complaints == plain.complaints
    assert (seen.stdout, seen.stderr) == (plain.stdout, plain.stderr)


def test_the_provider_is_asked_the_same(played):
    """Byte for byte, headers too."""
    plain, seen, _ = played
    assert sum(method == "POST" for method, *_ in plain.requests) == 3
    assert seen.requests == plain.requests


def test_the_programs_tracer_provider_is_its_own(played):
    """Whenever it sets one; its exporter is given its spans."""
    plain, seen, _ = played
    assert seen.provider_is_own == plain.provider_is_own
    if plain.spans is not None:
        assert {span["name"] for span in plain.spans} <= {span["name"] for span in seen.spans}


def test_the_record_is_whole(played):
    """Both turns are one session, each model and tool call is recorded once."""
    _, _, home = played
    store = SqlSessionStore(f"sqlite:///{home}/sessions.db")
    sessions = [store.load_session(session_id) for session_id in store.list_sessions()]
    store.close()
    assert [_turn(turn) for session in sessions for turn in session.turns] == [
        (PROMPTS[0], "one", "success", ["add", "shout"], 2),
        (PROMPTS[1], "two", "success", [], 1),
    ]
    assert len(sessions) == 1


def test_the_record_is_proven(played, request):
    """Spans that went to the program's own provider are kept elsewhere, which is said; all others are found."""
    *_, home = played
    report = verify(settings=Settings.read(home=home))
    assert report.exit_code == 0, report.findings
    found = report.counts["trace"]
    assert set(found) == {"none": {"ok"}, "before": {"elsewhere"}, "after": {"ok", "elsewhere"}}[_provider(request)]
    assert report.counts["log"].keys() == {"ok"}


def test_each_model_call_is_one_span(played, request):
    """Also where a client traces by itself, or another instrumentation does: it is adopted, or left out."""
    if _provider(request) == "none":
        lines = [json.loads(line) for line in (played[2] / "spans.jsonl").read_text().splitlines()]
        assert sum(_is_chat(span) for line in lines for span in spans_in(line)) == 3


def _provider(request):
    return request.node.callspec.id.rpartition(" ")[2]


def _is_chat(span):
    operation = {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}}
    return operation in span["attributes"]


def _turn(turn: TurnRecord):
    models = turn.metadata["turnspan"]["model_calls"]
    return (turn.prompt, turn.response_content, turn.status, [call.tool_name for call in turn.tool_calls], len(models))
