"""Writes docs/reference/events.md: every kind of event with its fields, from the definitions themselves.

python scripts/generate_events_reference.py
"""

import re
from pathlib import Path

import msgspec

from turnspan.events import KINDS, Event

TARGET = Path(__file__).parents[1] / "docs" / "reference" / "events.md"
HEAD = """# Events

<!-- made by scripts/generate_events_reference.py -->

One frozen event for each thing that an agent does. All have these fields:

| field | meaning |
|---|---|
| `event_id` | the audit event id: 32 hex digits, sortable by time (UUIDv7 for what is observed live) |
| `at_ns` | when it happened, in nanoseconds of Unix time |
| `session_id`, `turn_id`, `call_id` | where it belongs |
| `parent_id` | the `call_id` of the tool call or agent that it happened in; none is the turn itself |
| `agent_id` | the agent that did it |
| `borrowed` | set where the span is one that another instrumentation started: `stamped` with our ids, or only `read` |

Fields may arrive late: what is not known when something starts is given with the event that ends it.

"""
COMMON = {field.name for field in msgspec.structs.fields(Event)}


def _kind(kind, cls):
    text = re.sub(r"``(.+?)``", r"`\1`", " ".join(cls.__doc__.split("\n\n")[0].split()))
    own = [f"`{field.name}`" for field in msgspec.structs.fields(cls) if field.name not in COMMON]
    return f"## `{kind}`\n\n{text}\n" + (f"\nFields: {', '.join(own)}.\n" if own else "")


def generated():
    """Return the page."""
    return HEAD + "\n".join(_kind(kind, cls) for kind, cls in KINDS.items())


if __name__ == "__main__":
    TARGET.write_text(generated())
