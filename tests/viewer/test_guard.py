"""Who may ask for a page, and what a page may do."""

import base64

import pytest

from support.pages import client_of
from turnspan import InMemorySessionStore


@pytest.fixture
def client():
    return client_of(InMemorySessionStore())


@pytest.mark.parametrize("host", ["127.0.0.1:7370", "localhost:1", "localhost", "[::1]:7370"])
def test_this_machine_may_ask_under_its_names(client, host):
    """A browser on this machine is answered, whatever the port."""
    assert client.get("/sessions", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:7370", "", "localhost.evil"])
def test_another_name_is_refused(client, host):
    """A name that was made to resolve to loopback (DNS rebinding) reads nothing."""
    answer = client.get("/sessions.json", headers={"host": host})
    assert answer.status_code == 421 and "sessions" not in answer.text.partition(":")[2]


def test_another_site_is_refused(client):
    """A page from elsewhere reads nothing; a link from elsewhere may be followed by a person."""
    assert client.get("/sessions.json", headers={"origin": "https://evil.example"}).status_code == 403
    assert client.get("/sessions", headers={"origin": "null"}).status_code == 403
    assert (
        client.get("/sessions", headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}).status_code
        == 403
    )
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert client.get("/sessions", headers=link).status_code == 200
    assert client.get("/sessions", headers={**link, "sec-fetch-dest": "iframe"}).status_code == 403
    assert (
        client.get("/sessions", headers={"origin": "http://127.0.0.1:7370", "host": "127.0.0.1:7370"}).status_code
        == 200
    )


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_no_request_changes_anything(client, method):
    """Only reading is known."""
    assert client.request(method, "/sessions").status_code == 405


def test_a_token_is_asked_for_where_there_is_one():
    """With a token nothing is read without it, neither pages nor JSON nor assets, under any name."""
    client = client_of(InMemorySessionStore(), token="s3cret-token", hosts=("*",))
    for path in ("/sessions", "/sessions.json", "/assets/view.js", "/live"):
        assert client.get(path).status_code == 401
    assert client.get("/sessions", headers={"authorization": "Bearer wrong"}).status_code == 401
    assert client.get("/sessions", headers={"authorization": "Basic !!"}).status_code == 401
    password = base64.b64encode(b"anybody:s3cret-token").decode()
    for credentials in ("Bearer s3cret-token", f"Basic {password}"):
        answer = client.get("/sessions", headers={"authorization": credentials, "host": "box.example"})
        assert answer.status_code == 200


def test_who_is_refused_learns_why(client):
    """A browser gets a page that says what to do, a program a line; a name in it is text."""
    page = client.get("/sessions", headers={"host": "<b>evil.example", "accept": "text/html,*/*"})
    assert page.status_code == 421 and "<h1>Not under this name</h1>" in page.text and "<b>" not in page.text
    asked = client_of(InMemorySessionStore(), token="s3cret").get("/sessions", headers={"accept": "text/html"})
    assert asked.status_code == 401 and "password" in asked.text and asked.headers["www-authenticate"]
    assert "<" not in client_of(InMemorySessionStore(), token="s3cret").get("/sessions.json").text


@pytest.mark.parametrize("path", ["/sessions", "/sessions/none", "/none", "/assets/view.css", "/events/none.json"])
def test_every_answer_says_what_it_may_do(client, path):
    """Errors too: no script or style but the pages' own, no frame around them, and no cookie."""
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in headers


@pytest.mark.parametrize("path", ["/assets/..%2f..%2fapp.py", "/assets/%2e%2e/app.py", "/assets/app.py", "/assets/"])
def test_only_assets_are_assets(client, path):
    """No other file can be asked for."""
    assert client.get(path).status_code == 404
