"""Writes docs/content.md: what is kept of what was said, field by field, from the table that the code goes by.

python scripts/generate_content_reference.py
"""

from pathlib import Path

from turnspan.events import FIELDS, KINDS, Part
from turnspan.recording.content_policy import NOT_CAPTURED, NOTE_FACTS
from turnspan.recording.secrets.formats import FORMATS

TARGET = Path(__file__).parents[1] / "docs" / "content.md"
KEPT = {
    Part.IDENTITY: ("kept", "kept", "kept"),
    Part.FACT: ("kept", "kept", "kept"),
    Part.NAME: ("kept", "kept", "kept"),
    Part.CONTENT: ("kept", "its shape and sizes", "nothing"),
    Part.TEXT: ("kept", "its size", f"`{NOT_CAPTURED}`"),
    Part.METADATA: ("kept", "its keys, the sizes of values", "nothing; what turnspan put there is kept"),
    Part.RECORD: ("kept as it is", "kept as it is", "kept as it is"),
}
"""What is on record when ``TURNSPAN_CAPTURE_CONTENT`` is ``full``, ``redacted`` and ``none``."""
PAGE = """# Content and redaction

<!-- made by scripts/generate_content_reference.py -->

What is kept of what users, models, agents and tools say, and where.

## How much is kept

`TURNSPAN_CAPTURE_CONTENT` says how much of it is on record: `full` (the default), `redacted` (what it is made of: keys, and
how long texts are) or `none`. It is decided before anything is written, so it holds for the journal, the store, log lines,
spans, metrics, what turnspan logs about itself, and so for everything that commands print or export.

{fields}

Secrets are taken out of names, content, texts and metadata in every mode, dict keys included. Ids are never changed: they tie
record, trace and log together, so do not make them of secrets. A turn that an application records by itself
(`record_turn` of an observed manager) is written as it was given: it is that application's own call to its own store. Imported
turns go by the table.

Some notes mean the same on every runtime. Of these the facts stay with `none`, too, so that it can still be proven who approved
what:

{notes}

## Where it stands

| | default | with `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=SPAN_ONLY` |
|---|---|---|
| journal, store | as above | as above |
| spans: names, ids, status, tokens | yes | yes |
| spans: prompts, answers, messages, arguments, results, reasons, descriptions | no | as above |
| spans: text of errors | the first line, 200 characters | as above |
| log lines: text of errors | the first line, 500 characters | the same |
| log lines, metrics: anything else that was said | never | never |

With `TURNSPAN_CAPTURE_CONTENT=none` spans have no content whatever the other variable says. With `none` and `redacted`, errors of
turnspan itself are logged by their class, because their text may quote content.

## What is redacted

`TURNSPAN_REDACT` names rules, with commas: `secrets` and `cards` (the default), `email`, `none`, and `module:function` for your
own (text in, text out; when it raises, content is withheld, not let through). A secret becomes `[redacted password]`.

- **By format**: {formats} of keys, tokens and private keys, as their providers make them.
- **By name**: whatever stands behind `password`, `api_key`, `Authorization`, `--token`, `AccountKey`, `Cookie` and the like, in JSON
  (also JSON in text), YAML, environments, headers, forms, code, command lines and prose, in several languages. `token: optional`,
  `max_tokens: 4096` and a schema that says that a password is a string stay.
- **By place**: passwords in URLs, signatures in query strings, `curl -u`, `mysql -p`, `.netrc`, `.pgpass`.
- **By check digit**: numbers of cards (`cards`), IBANs; US social security numbers behind their name.
- **In base64**: bytes that are text are looked into.

Measured by `tests/recording/test_secret_corpus.py` on several thousand generated secrets of some two hundred kinds and on innocent
texts (hashes, ids, images, code, schemas, prose): at least 99 of 100 found, at most 1 of 100 altered. That is of what
was looked at: of three parts of it that were written and measured before anything was mended from them, 93, 88 and 78 of 100 were found
then (the last with the oddest places), and at most 2 altered. Expect that of formats and places of your own, and give names to what is
secret. What it cannot find: a secret that looks like a word and has no name beside it, one that is split over several values or stream
items, one in a picture or in an archive. Where that matters, capture less.

An event is looked at once, as the bytes that are written anyway: 10 MB cost some tens of milliseconds, an event of the usual
size about 2 microseconds. `TURNSPAN_CONTENT_LIMIT` cuts longer texts; of what is cut the digest stays. Of base64
beyond 256 KB (images, audio, files) type, length and digest are kept, whatever the setting.

The formats were collected from providers' documentation and compared with those of [gitleaks](https://github.com/gitleaks/gitleaks)
(MIT) and [detect-secrets](https://github.com/Yelp/detect-secrets) (Apache-2.0). Neither is used as it is: their rules are written for
source code, lean on entropy that ids and hashes have as well, and cost a regular expression for each rule and text.

## Taking content out later

`turnspan erase SESSION` takes the content out of a recorded session and keeps the proof; see [proof](proof.md).
"""


def _table(head, rows):
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def _fields():
    rows = []
    for name, part in FIELDS.items():
        on = [f"`{kind}`" for kind, event in KINDS.items() if name in event.__struct_fields__]
        rows.append((f"`{name}`", "every event" if len(on) == len(KINDS) else ", ".join(on), part.value, *KEPT[part]))
    return _table(("field", "of", "is", "`full`", "`redacted`", "`none`"), rows)


def _notes():
    rows = [(f"`{name}`", ", ".join(f"`{fact}`" for fact in facts)) for name, facts in NOTE_FACTS.items()]
    return _table(("note", "facts"), rows)


def generated():
    """Return the page."""
    return PAGE.format(fields=_fields(), notes=_notes(), formats=f"{len(FORMATS)} formats")


if __name__ == "__main__":
    TARGET.write_text(generated())
