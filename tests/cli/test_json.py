"""Each ``--json`` document is what its type says, with the name and version of its schema."""

import json
import time

import msgspec
import pytest

import turnspan
from support.commands import invoke
from turnspan.cli import COMMANDS, documents
from turnspan.cli.documents import Document

DOCUMENTS = {
    "sessions": (documents.SessionsDocument, ["sessions"]),
    "replay": (documents.ReplayDocument, ["replay", "last"]),
    "replay --by": (documents.ReplayDocument, ["replay", "last", "--by", "tool"]),
    "replay --by model": (documents.ReplayDocument, ["replay", "last", "--by", "model"]),
    "find": (documents.FindDocument, ["find", "s-1"]),
    "diff": (documents.DiffDocument, ["diff", "s-1", "s-2"]),
    "doctor": (documents.DoctorDocument, ["doctor"]),
    "recover": (documents.RecoverDocument, ["recover"]),
    "rehydrate": (documents.RehydrateDocument, ["rehydrate", "last"]),
    "prune": (documents.PruneDocument, ["prune", "--older-than", "90d", "--dry-run"]),
    "erase": (documents.EraseDocument, ["erase", "s-2", "--yes"]),
    "import": (documents.ImportDocument, ["import", "jsonl", "sessions.jsonl", "--dry-run"]),
    "rebuild": (documents.RebuildDocument, ["rebuild", "--store", "sqlite:///again.db"]),
}
ELSEWHERE = {"run": "has no document", "view": "has pages", "serve": "has pages", "show": "test_cli", "export": "test_importers", "verify": "test_verify",
             "demo": "test_cli", "anchor": "test_anchors", "why": "test_why_and_diff"}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory):
    """A folder with a home that has two sessions, kept journals, and a history."""
    folder = tmp_path_factory.mktemp("json")
    turnspan.configure(home=folder / ".turnspan", keep_journal=True)
    for name in ("s-1", "s-2"):
        with turnspan.session(name), turnspan.turn(agent="a", prompt="x"), turnspan.tool("look", place="shelf"):
            with turnspan.model_call("gpt-4o", provider="openai") as call:
                call.usage = turnspan.Usage(input_tokens=1_000_000, output_tokens=100_000)
            with turnspan.model_call("mine", provider="openai") as call:
                call.usage = turnspan.Usage(input_tokens=10)
    turnspan.shutdown()
    (folder / "sessions.jsonl").write_text('{"session_id": "x"}\nno JSON\n')
    return folder


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_what_its_type_says(name, folder, monkeypatch):
    """It decodes strictly into its type, and says all that the type has: no field is missing, none is unknown."""
    monkeypatch.chdir(folder)
    kind, arguments = DOCUMENTS[name]
    text = invoke(*arguments, "--json")
    found = msgspec.json.decode(text, type=kind)
    assert msgspec.to_builtins(found) == msgspec.json.decode(text), "a field that the type does not have"
    assert msgspec.json.decode(text)["schema"].startswith(f"turnspan.{name.split()[0]}/")


def test_documents_say_what_calls_cost_and_what_is_not_known(folder, monkeypatch):
    """In US dollars, with the list and the day of its price; a model that no list has is unknown, never zero."""
    pytest.importorskip("genai_prices")
    monkeypatch.chdir(folder)
    shown = json.loads(invoke("show", "s-1", "--json"))["cost"]
    assert (shown["usd"], shown["unknown"]) == (3.5, 1)
    assert shown["prices"].startswith("genai-prices ")
    assert shown["as_of"] == time.strftime("%Y-%m-%d", time.gmtime())
    listed = next(one for one in json.loads(invoke("sessions", "--json"))["sessions"] if one["session_id"] == "s-1")
    assert (listed["cost_usd"], listed["unpriced_calls"]) == (3.5, 1)
    by_model = {
        one["name"]: one["cost"] for one in json.loads(invoke("replay", "s-1", "--by", "model", "--json"))["aggregates"]
    }
    assert {name: cost["usd"] for name, cost in by_model.items()} == {"gpt-4o": 3.5, "mine": None}
    assert [
        line.split()[-1] for line in invoke("replay", "s-1", "--by", "model").splitlines()[1:] if "mine" in line
    ] == ["unknown"]


def test_each_command_has_a_document_that_is_tested():
    """A new command has a typed document, and stands in the table above."""
    named = {name.split()[0] for name in DOCUMENTS} | ELSEWHERE.keys()
    assert named == COMMANDS.keys()


def test_schemas_are_told_apart():
    """No two documents have the same schema, and each type says what it is for."""
    kinds = Document.__subclasses__()
    assert len({kind.__struct_config__.tag for kind in kinds}) == len(kinds)
    assert all(kind.__doc__ for kind in kinds)


def test_a_long_session_has_its_cost_in_the_list_too(tmp_path):
    """However many turns it has, and the second time without reading each of its calls."""
    pytest.importorskip("genai_prices")
    turnspan.configure(home=tmp_path, telemetry=False)
    with turnspan.session("long"):
        for _ in range(201):
            with turnspan.turn(agent="a"), turnspan.model_call("gpt-4o", provider="openai") as call:
                call.usage = turnspan.Usage(input_tokens=1_000_000, output_tokens=0)
    turnspan.shutdown()
    for _ in range(2):
        (listed,) = json.loads(invoke("sessions", "--json", "--home", tmp_path))["sessions"]
        assert (listed["cost_usd"], listed["unpriced_calls"]) == (201 * 2.5, 0)
