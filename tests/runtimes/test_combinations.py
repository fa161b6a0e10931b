"""Every runtime over the wire, in every company: its client watched too or not, another instrumentation beside it or
not, and the program's own tracer provider never, before the first call, or after it."""

import importlib
import itertools
import re
from importlib.util import find_spec

import pytest

from support.combinations import PROMPTS, Combination, Player
from turnspan import Settings, SqlSessionStore, verify
from turnspan.model.records import TurnRecord

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
NATIVE = "Anthropic's client traces by itself once there is a provider, and sends trace and session ids to Anthropic"
SENDS = "OpenLLMetry traces once there is turnspan's provider, and puts a traceparent into requests"
WARNS = "the other instrumentation traces once there is turnspan's provider, and warns of what it cannot say"
KNOWN = [
    ("asked_the_same", "Messages", "", NATIVE),
    ("asked_the_same", "Anthropic", "", NATIVE),
    *(
        ("asked_the_same", d, "openllmetry", SENDS)
        for d in ("Chat", "AgentsOver", "PydanticOver", "LangGraphOver", "Oats")
    ),
    *(("goes_on", d, c, WARNS) for d in ("AgentsOver", "PydanticOver") for c in ("genai", "openllmetry")),
    ("whole", "^Responses", "openllmetry", "the call of the responses API is told twice, in two sessions"),
    ("whole", "Xerxes", "openinference", "OpenInference's span of models.list is taken for a turn"),
]
"""What is known to be wrong: the test, the driver and a part of the combination's name, and why."""


def _combinations(module):
    for watch in ("all",) if module in ("openai_wire", "anthropic_wire") else ("all", "-openai,-anthropic"):
        for provider, other in BESIDE.items():
            for beside in (None,) if "anthropic" in module else (None, other):
                yield Combination(watch, beside, provider)


def pytest_generate_tests(metafunc):
    test, params = metafunc.function.__name__, []
    for module, drivers in RUNTIMES.items():
        for driver, combination in itertools.product(drivers, _combinations(module)):
            reason = next(
                (why for t, d, c, why in KNOWN if t in test and re.search(d, driver) and c in str(combination)), None
            )
            marks = [pytest.mark.xfail(reason=reason, strict=True)] if reason else []
            params.append(pytest.param((module, driver, combination), id=f"{driver}-{combination}", marks=marks))
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


def test_the_record_is_whole(played, request):
    """Both turns are one session, each model and tool call is told once, and it is proven where spans are kept."""
    _, _, home = played
    store = SqlSessionStore(f"sqlite:///{home}/sessions.db")
    sessions = [store.load_session(session_id) for session_id in store.list_sessions()]
    store.close()
    assert [_turn(turn) for session in sessions for turn in session.turns] == [
        (PROMPTS[0], "one", "success", ["add", "shout"], 2),
        (PROMPTS[1], "two", "success", [], 1),
    ]
    assert len(sessions) == 1
    if "provider none" in request.node.name:
        report = verify(settings=Settings.read(home=home))
        assert report.exit_code == 0, report.findings


def _turn(turn: TurnRecord):
    models = turn.metadata["turnspan"]["model_calls"]
    return (turn.prompt, turn.response_content, turn.status, [call.tool_name for call in turn.tool_calls], len(models))
