"""Why and Compare in the browser: what the pages say, and that what agents wrote stays text."""

import pytest

import turnspan
from support.pages import client_of
from turnspan.model.addresses import event_path
from turnspan.testing import record

MARKUP = "<script>alert('INV-2041')</script>"


@pytest.fixture(scope="module")
def client():
    """Two sessions, of which the second paid another amount."""
    with record() as recording:
        for name, amount in (("first", "42.00 EUR"), ("a/b", "24.00 EUR")):
            with turnspan.session(name), turnspan.turn(agent="desk", prompt=f"Refund {MARKUP}"):
                with turnspan.tool("look", id=MARKUP) as call:
                    call.result = {"amount": amount}
                with turnspan.tool("refund", amount=amount):
                    pass
        turnspan.flush()
        yield client_of(recording.store)


def events_of(client, session):
    turn = client.get(f"/sessions/{session}.json").json()["turns"][0]
    return [call["metadata"]["turnspan"]["audit_event_ids"][0] for call in turn["tool_calls"]]


def test_why_marks_what_is_quoted_and_runs_nothing(client):
    """Each source has its quote marked and a link to its place; markup is shown as text."""
    look, refund = events_of(client, "first")
    page = client.get(f"{event_path(refund)}/why").text
    assert "<mark>42.00 EUR</mark>" in page and f"#event-{look}" in page
    assert "<script>alert" not in client.get(f"{event_path(look)}/why").text
    found = client.get(f"{event_path(refund)}/why.json").json()
    assert found["schema"] == "turnspan.why/1"
    assert found["values"][0]["quotes"][0]["sources"][0]["part"] == "result"
    assert f"{event_path(refund)}/why" in client.get("/sessions/first").text
    assert client.get("/events/nothing/why").status_code == 404


def test_compare_has_an_address_for_two_sessions(client):
    """What differs is said with links to both sides; one side alone gets the form, none an error as JSON."""
    page = client.get("/compare?a=first&b=a%2Fb").text
    assert "2 changed" in page or "1 changed" in page
    assert "24.00 EUR" in page and "/sessions/a%2Fb" in page and "<script>alert" not in page
    found = client.get("/compare.json?a=first&b=a%2Fb").json()
    assert (found["schema"], found["same"]) == ("turnspan.diff/1", False)
    assert client.get("/compare.json?a=first&b=first").json()["same"]
    assert 'value="first"' in client.get("/compare?a=first").text
    assert client.get("/compare.json?a=first").status_code == 400
    assert client.get("/compare?a=first&b=nothing").status_code == 404
