"""What log lines and spans say, word for word: in the files that turnspan writes itself nothing else may stand."""

import copy
import fcntl
import json
import os
import shutil

import pytest

from support.breaker import opened, rows_of
from turnspan.maintenance.erase import erase
from turnspan.settings import Settings
from turnspan.stores import open_store
from turnspan.telemetry.log_lines import LogLine
from turnspan.verification import verify


def look(home, key, **more):
    return verify(settings=Settings.read(home=home), key=key, **more)


def lines_of(home):
    return [json.loads(line) for line in (home / "turnspan.log.jsonl").read_text().splitlines()]


def write_lines(home, lines):
    (home / "turnspan.log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def requests_of(home):
    return [json.loads(line) for line in (home / "spans.jsonl").read_text().splitlines()]


def write_requests(home, requests):
    (home / "spans.jsonl").write_text("".join(json.dumps(request) + "\n" for request in requests))


def spans_in(requests):
    for request in requests:
        for resource in request["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                yield from scope["spans"]


def other(value):
    """Return another value of the same kind."""
    if isinstance(value, dict):
        return {**value, "events": 99}
    return "something else" if isinstance(value, str) else value + 77


def test_what_nobody_changed_is_proven_word_for_word(told, key):
    """Lines and spans are those that the events make, also when content was erased since, and when they are there twice."""
    assert look(told, key).proven
    for name in ("turnspan.log.jsonl", "spans.jsonl"):
        (told / name).write_bytes((told / name).read_bytes() * 2)
    assert look(told, key).proven, "what was sent again is the same"
    made = Settings.read(home=told, signing_key=key)
    store = open_store(made.store_url)
    erase("b", store, made)
    store.close()
    assert look(told, key).proven


@pytest.mark.parametrize("field", [*LogLine.__struct_fields__, "approved_by"])
def test_a_field_of_a_line_that_was_changed_is_named(told, key, field):
    """Whatever a line says can be changed nowhere, and nothing can be added."""
    lines, changed = lines_of(told), 0
    for line in lines:
        if field in line or field == "approved_by":
            line[field] = other(line.get(field, ""))
            changed += 1
    assert changed
    write_lines(told, lines)
    report = look(told, key, spans="none")
    assert report.exit_code in (2, 3)
    assert report.counts["log"]["ok"] <= len(lines) - changed


def test_an_attribute_of_a_span_that_was_changed_is_named(told, key):
    """Whatever a span says: each of its attributes, its kind, its status, its events; and an attribute twice."""
    original = requests_of(told)
    names = {attribute["key"] for span in spans_in(original) for attribute in span["attributes"]}
    assert len(names) > 15

    def rename(span, name):
        for attribute in span["attributes"]:
            if attribute["key"] == name:
                attribute["value"] = {"stringValue": "something else"}

    def double(span):
        span["attributes"] += [{**one, "value": {"stringValue": "x"}} for one in span["attributes"][:1]]

    changes = {name: lambda span, name=name: rename(span, name) for name in sorted(names)}
    changes["kind"] = lambda span: span.update(kind=5)
    changes["message"] = lambda span: span["status"].update(message="x") if span["status"]["code"] == 2 else None
    changes["events"] = lambda span: [event.update(name="x") for event in span["events"]]
    changes["twice"] = double
    for name, change in changes.items():
        requests = copy.deepcopy(original)
        for span in spans_in(requests):
            change(span)
        assert requests != original, name
        write_requests(told, requests)
        assert look(told, key, logs="none").exit_code == 2, name


def test_what_is_there_twice_and_differs_is_named(told, key):
    """A line or span that says something else is not outdone by the true one, wherever it stands."""
    lines, requests = lines_of(told), requests_of(told)
    lying = [{**line, "status": "error"} for line in lines if line.get("status")]
    write_lines(told, lying + lines)
    assert look(told, key, spans="none").exit_code == 2
    write_lines(told, lines)
    lies = copy.deepcopy(requests)
    for span in spans_in(lies):
        span["name"] = "something else"
    write_requests(told, lies + requests)
    assert look(told, key, logs="none").exit_code == 2


def test_lines_of_odd_types_are_named(told, key):
    """Nothing that stands in the log makes verify fail."""
    odd = [{"audit_event_id": ["x"], "session_id": {"a": 1}, "timestamp": 5}, {"audit_event_id": 0, "event": []}]
    write_lines(told, lines_of(told) + odd)
    assert look(told, key, spans="none").exit_code == 2


@pytest.mark.parametrize("how", ["a held lock", "an empty journal", "a lock that says the disk was full"])
def test_a_chain_that_is_closed_waits_for_nothing(told, key, how):
    """Lines and spans that are gone are not "pending" because somebody holds a lock or leaves files of a journal."""
    with opened(told) as db:
        journals = {row["journal"] for row in rows_of(db, "audit_events")}
    held = []
    (told / "journal").mkdir(exist_ok=True)
    for journal in journals:
        lock = told / "journal" / f"{journal}.lock"
        lock.write_bytes(b"%020d %020d\n" % (10**9, 5) if how.endswith("full") else b"")
        if how == "a held lock":
            held.append(os.open(lock, os.O_RDWR))
            fcntl.flock(held[-1], fcntl.LOCK_EX)
        else:
            (told / "journal" / f"{journal}.000001.journal").touch()
    write_lines(told, lines_of(told)[:4])
    write_requests(told, [])
    try:
        report = look(told, key)
    finally:
        for fd in held:
            os.close(fd)
    assert report.exit_code in (2, 3)
    assert {f.verdict for f in report.findings} <= {"missing", "altered"}, report.findings[:3]
    shutil.rmtree(told)
