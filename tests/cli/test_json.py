"""Each ``--json`` document is what its type says, with the name and version of its schema."""

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
ELSEWHERE = {"run": "has no document", "view": "has pages", "show": "test_cli", "export": "test_importers", "verify": "test_verify",
             "demo": "test_cli", "anchor": "test_anchors", "why": "test_why_and_diff"}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory):
    """A folder with a home that has two sessions, kept journals, and a history."""
    folder = tmp_path_factory.mktemp("json")
    turnspan.configure(home=folder / ".turnspan", keep_journal=True)
    for name in ("s-1", "s-2"):
        with turnspan.session(name), turnspan.turn(agent="a", prompt="x"), turnspan.tool("look", place="shelf"):
            pass
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


def test_each_command_has_a_document_that_is_tested():
    """A new command has a typed document, and stands in the table above."""
    named = {name.split()[0] for name in DOCUMENTS} | ELSEWHERE.keys()
    assert named == COMMANDS.keys()


def test_schemas_are_told_apart():
    """No two documents have the same schema, and each type says what it is for."""
    kinds = Document.__subclasses__()
    assert len({kind.__struct_config__.tag for kind in kinds}) == len(kinds)
    assert all(kind.__doc__ for kind in kinds)
