"""How well redaction tells secrets from everything else, measured."""

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

from support.innocent_places import innocent_in_places
from support.innocent_texts import innocent
from support.secret_corpus import FORMATS, NAMES, PLACES, Maker, Secret, secrets
from support.secret_forms import forms
from support.secret_places import PARTS, secrets_in_places
from turnspan.events import ToolCallEnded
from turnspan.model import json_values
from turnspan.recording import secrets as rules
from turnspan.recording.redaction import Redactor
from turnspan.recording.secrets.formats import FORMATS as KNOWN
from turnspan.recording.secrets.marks import Marks
from turnspan.recording.secrets.scan import Scan

RECALL, FALSE_POSITIVES = 0.99, 0.01
SEEDS = range(1, 6)
SECRET_MODULES = [f"{rules.__name__}.{found.name}" for found in pkgutil.iter_modules(rules.__path__)]
INNOCENT_TEXTS = (Path(__file__).parents[1] / "support" / "innocent_texts.txt").read_text().splitlines()


@pytest.fixture(scope="module")
def scan():
    return Scan(secrets=True, cards=True, email=False)


def test_99_of_100_secrets_are_found(scan, record_property):
    """Of some hundred kinds of secrets, in the places where agents meet them, at most one in a hundred is missed."""
    assert len(FORMATS) + len(NAMES) + len(PLACES) > 200
    all_ = [secret for seed in SEEDS for secret in secrets(seed)]
    all_ += [Secret("form", *form) for seed in SEEDS for form in forms(Maker(seed))]
    all_ += [
        Secret("place", *found) for seed in SEEDS for part in PARTS for found in secrets_in_places(Maker(seed), part)
    ]
    assert all(secret.needle in secret.text or secret.needle in secret.text.replace("\\n", "\n") for secret in all_)
    missed = [secret for secret in all_ if secret.needle in scan.text(secret.text)]
    recall = 1 - len(missed) / len(all_)
    record_property("recall", recall)
    assert recall >= RECALL, f"{len(missed)} of {len(all_)} missed: {missed[:20]}"


def test_99_of_100_innocent_texts_stay_as_they_are(scan, record_property):
    """Hashes, ids, images, code, schemas and prose about passwords are not touched."""
    all_ = [*INNOCENT_TEXTS, *(text for seed in SEEDS for text in innocent(seed))]
    all_ += [text for seed in SEEDS for part in PARTS for text in innocent_in_places(Maker(seed), part)]
    altered = [(text, shown) for text in all_ if (shown := scan.text(text)) != text]
    record_property("false positives", len(altered) / len(all_))
    assert len(altered) <= FALSE_POSITIVES * len(all_), f"{len(altered)} of {len(all_)} altered: {altered[:20]}"


def test_a_secret_is_found_in_whatever_it_is_nested(scan):
    """The same secrets are found in arguments of tools, in keys, in lists, and in bytes."""
    redactor = Redactor()
    missed = []
    for secret in secrets(9):
        event, payload = redactor.take(ToolCallEnded(session_id="s", arguments={"q": [{"text": secret.text}]}))
        if secret.needle in str(event.arguments) or secret.needle.encode() in payload:
            missed.append(secret)
    assert len(missed) <= 0.01 * sum(1 for _ in secrets(9)), missed


def test_marks_are_found_alike_with_and_without_the_automaton():
    """Where the automaton has no wheel, the same secrets are found, more slowly."""
    marks = [mark.encode() for kind in KNOWN for mark in kind.marks]
    marks = list(dict.fromkeys(mark.lower() for mark in marks))
    fast, slow = Marks(marks), Marks(marks, automaton=False)
    for secret in secrets(11):
        text = secret.text.encode().lower()
        assert sorted(fast.find(text)) == sorted(slow.find(text))


@pytest.mark.parametrize("kind", KNOWN, ids=lambda kind: f"{kind.name}-{kind.marks[0]}")
def test_every_match_of_a_format_has_its_mark(kind):
    """A pattern is only tried where a mark stands, so that a pattern that can match without one is never found."""
    assert all(kind.marks)
    assert all(len(mark) >= 2 for mark in kind.marks)


def test_no_group_is_repeated_possessively():
    """Until 3.11.5, Python's possessive repeat of a group swallows part of what does not match: secrets were missed."""

    def possessive_groups(parsed):
        for operation, argument in parsed:
            if str(operation) == "POSSESSIVE_REPEAT" and (len(argument[2]) > 1 or str(argument[2][0][0]) in COMPOUND):
                yield argument
            for part in argument if isinstance(argument, (tuple, list)) else (argument,):
                for inner in part if isinstance(part, list) else (part,):
                    if isinstance(inner, re._parser.SubPattern):
                        yield from possessive_groups(inner)

    COMPOUND = {"BRANCH", "SUBPATTERN", "ATOMIC_GROUP"}
    assert list(possessive_groups(re._parser.parse("(?:a|bc)*+")))
    patterns = [
        (module.__name__, name, value)
        for module in [json_values, *map(importlib.import_module, SECRET_MODULES)]
        for name, value in vars(module).items()
        if isinstance(value, re.Pattern)
    ]
    assert len(patterns) > 20
    for where, name, pattern in patterns:
        assert not list(possessive_groups(re._parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE))), (
            where,
            name,
        )
