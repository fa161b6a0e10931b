"""Writes the part of docs/reference/stored-format.md that says what ``metadata["turnspan"]`` has, from its schema.

python scripts/generate_stored_format.py
"""

import ast
import inspect
from pathlib import Path
from typing import get_type_hints

from turnspan.model import metadata

TARGET = Path(__file__).parents[1] / "docs" / "reference" / "stored-format.md"
BEGIN = "<!-- made by scripts/generate_stored_format.py -->"
END = "<!-- until here -->"


def _docstrings(name):
    """Return the docstring that stands below each key of a class."""
    body = next(n for n in ast.parse(inspect.getsource(metadata)).body if getattr(n, "name", "") == name).body
    pairs = zip(body, body[1:], strict=False)
    return {
        key.target.id: " ".join(text.value.value.split()).replace("``", "`")
        for key, text in pairs
        if isinstance(key, ast.AnnAssign) and isinstance(text, ast.Expr)
    }


def _shown(hint):
    return str(hint).replace("typing.", "").replace("<class '", "").replace("'>", "").replace("|", "or")


def _table(kind, schema):
    bases = [base for base in (metadata.CallMetadata,) if schema.__annotations__.keys() > base.__annotations__.keys()]
    says = {key: text for one in (*bases, schema) for key, text in _docstrings(one.__name__).items()}
    hints = get_type_hints(schema)
    rows = [f"| `{key}` | {_type(hint)} | {says[key]} |" for key, hint in hints.items()]
    return "\n".join(
        [f"### Of a {kind}".replace("a agent", "an agent"), "", "| key | type | meaning |", "|---|---|---|", *rows]
    )


def _type(hint):
    text = (
        getattr(hint, "__name__", "") if isinstance(hint, type) and not getattr(hint, "__args__", ()) else _shown(hint)
    )
    return text.replace("turnspan.model.metadata.", "").replace("NoneType", "null").replace("None", "null")


def generated():
    """Return the page, with the tables of the present schema."""
    text = TARGET.read_text()
    tables = "\n\n".join(_table(kind, schema) for kind, schema in metadata.SCHEMA.items())
    if BEGIN not in text:
        text = f"{text.rstrip()}\n\n{BEGIN}\n{END}\n"
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n\n{tables}\n\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    TARGET.write_text(generated())
