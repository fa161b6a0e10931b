"""Writes docs/reference/json.md: what ``--json`` prints, from the types of the documents.

python scripts/generate_json_reference.py
"""

from pathlib import Path

import msgspec

from turnspan.cli import documents

TARGET = Path(__file__).parents[1] / "docs" / "reference" / "json.md"
HEAD = """# JSON documents

<!-- made by scripts/generate_json_reference.py -->

What commands print with `--json`. Each document is an object whose field `schema` has its name and version:
`turnspan.sessions/1`. Within a version fields may be added; what changes or removes one counts the version up. Times are
ISO 8601 in UTC, durations milliseconds, and nothing is formatted for people. Content is as it was recorded.

`show` prints the session itself, as `SessionRecord.to_dict()` gives it ([stored format](stored-format.md)), with
`"schema": "turnspan.session/1"`; `verify` its report, with `"schema": "turnspan.verify/1"`; `export` has no schema of ours.

A command that could not do what it was asked exits with 4 and prints `turnspan.error/1`, so that a program that reads
JSON gets JSON in every case.
"""


def _type(schema):
    match schema:
        case {"anyOf": kinds}:
            return " or ".join(dict.fromkeys(_type(kind) for kind in kinds))
        case {"$ref": ref}:
            return ref.rpartition("/")[2]
        case {"type": "array", "items": items}:
            return f"list of {_type(items)}"
        case {"enum": [only]}:
            return f"`{only}`"
        case {"type": kind}:
            return kind
    return "any"


def _part(name, schema):
    text = " ".join((schema.get("description") or "").split())
    rows = [
        f"| `{field}` | {_type(what)}{'' if field in schema.get('required', []) else ' (may be left out)'} |"
        for field, what in schema["properties"].items()
        if field != "schema"
    ]
    return "\n".join([f"## {name}", "", text.replace("``", "`"), "", "| field | type |", "|---|---|", *rows, ""])


def generated():
    """Return the page."""
    kinds = sorted(documents.Document.__subclasses__(), key=lambda kind: kind.__struct_config__.tag)
    schemas, parts = msgspec.json.schema_components(kinds, ref_template="#/{name}")
    names = {kind.__name__: kind.__struct_config__.tag for kind in kinds}
    found = [_part(names[name], parts[name]) for name in names]
    found += [_part(name, part) for name, part in sorted(parts.items()) if name not in names and "properties" in part]
    assert len(schemas) == len(kinds)
    return HEAD + "\n" + "\n".join(found).rstrip() + "\n"


if __name__ == "__main__":
    TARGET.write_text(generated())
