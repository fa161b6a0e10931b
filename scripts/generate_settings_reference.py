"""Writes docs/reference/settings.md: every setting with its variable, default and meaning, from ``Settings`` itself.

python scripts/generate_settings_reference.py
"""

import ast
import inspect
from dataclasses import fields
from pathlib import Path

from turnspan import settings

TARGET = Path(__file__).parents[1] / "docs" / "reference" / "settings.md"
HEAD = """# Settings

<!-- made by scripts/generate_settings_reference.py -->

An argument of `turnspan.configure()` or `turnspan.instrument()` wins over the environment variable, which wins over the default.
`turnspan doctor` shows what is in force. A variable that begins with `TURNSPAN_` and is not one of these is reported at start.

| argument | variable | default | meaning |
|---|---|---|---|
"""


def _docstrings():
    """Return the docstring that stands below each field."""
    body = next(n for n in ast.parse(inspect.getsource(settings)).body if getattr(n, "name", "") == "Settings").body
    pairs = zip(body, body[1:], strict=False)
    return {
        field.target.id: " ".join(text.value.value.split())
        for field, text in pairs
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr)
    }


def generated():
    """Return the page."""
    says = _docstrings()
    rows = [
        f"| `{f.name}` | `{f.metadata['variable']}` | {_shown(f.default)} | {says[f.name].replace('``', '`').replace('|', chr(92) + '|')} |"
        for f in fields(settings.Settings)
    ]
    return HEAD + "\n".join(rows) + "\n"


def _shown(default):
    if default is True or default is False:
        return "on" if default else "off"
    return "" if default in ("", None) else f"`{default}`"


if __name__ == "__main__":
    TARGET.write_text(generated())
