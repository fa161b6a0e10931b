"""What must not be kept is in no file that turnspan writes."""

import base64
import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

import turnspan
from support.programs import PYTHON, program, run
from support.programs import turnspan as command
from turnspan.errors import SettingsError
from turnspan.events import Noted, ToolCallEnded, TurnEnded, TurnStarted
from turnspan.journal.hash_chain import decode
from turnspan.model.json_values import encode
from turnspan.recording.redaction import Redactor, redact_secrets
from turnspan.testing import record

KEY = "abcdefghijklmnopqrstuvwxyz0123456789"
EXAMPLES = {
    "key": f"sk-proj-{KEY}",
    "github token": f"ghp_{KEY}",
    "gitlab token": f"glpat-{KEY[:20]}",
    "aws key": "AKIAIOSFODNN7EXAMPLE",
    "google key": f"AIza{KEY}",
    "hugging face token": f"hf_{KEY}",
    "package token": f"npm_{KEY}",
    "slack token": "xoxb-123456789012-abcdefghij",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
    "private key": "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAKC\n-----END RSA PRIVATE KEY-----",
    "azure key": f"AccountKey={KEY}==",
    "bearer token": "Authorization: Bearer 0123456789abcdef",
    "password": "postgres://bob:hunter2@db.example/x",
    "setting": 'password = "hunter22"',
    "token": "token=abcd1234",
}
CARD = "4111 1111 1111 1111"


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("around", ["{}", "before {} after", '"{}",', "x={}\n", "({})", '{{"k": "{}"}}'])
def test_each_rule_takes_its_secret_out_of_any_place(name, around):
    """A secret is found wherever in a text it stands."""
    text = around.format(EXAMPLES[name])
    secret = EXAMPLES[name].split("Bearer ")[-1].split("AccountKey=")[-1].split("token=")[-1].strip()
    secret = {"password": "hunter2@", "setting": "hunter22"}.get(name, secret)
    assert "[redacted " in redact_secrets(text)
    assert secret not in redact_secrets(text)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_secret_is_found_however_deep_it_is(name):
    """Nested values, JSON in text and texts in lists are looked at like a prompt, and what is kept is one thing."""
    redactor = Redactor()
    for data in (
        EXAMPLES[name],
        [f"say {EXAMPLES[name]}, please"],
        {"a": {"b": EXAMPLES[name]}},
        json.dumps({"k": EXAMPLES[name]}),
    ):
        event, payload = redactor.take(Noted(session_id="s", name="n", data=data))
        assert b"[redacted" in payload, data
        assert payload == encode(event)


ALPHABET = string.ascii_letters + string.digits + "-_ :/@=.\"'{}\\"


@given(st.lists(st.sampled_from([*EXAMPLES.values(), CARD, *ALPHABET]), max_size=12).map("".join))
def test_redaction_keeps_json_what_it_is(text):
    """Whatever secrets stand beside one another, the event can be read again, and no mark of redaction is redacted."""
    redactor = Redactor()
    event, payload = redactor.take(Noted(session_id="s", name="n", data=text))
    assert decode(payload) == event
    again, _ = redactor.take(event)
    assert "[redacted [" not in again.data


@pytest.mark.parametrize(
    "text",
    [
        "task-risk-assessment-of-something-quite-long",
        "the token was fine",
        "input_tokens: 12345",
        "https://example.org/a/b?c=d",
        "secretary of state",
        "0199c2d5e8f07abc9def0123456789ab",
        "2026-11-21T10:00:00.123456",
        "4111 1111 1111 1112",
        "1234567890123456",
        "0000000000000000",
        "1.2345678901234567",
        "a@b",
        "ask-me-anything-you-want-to-know",
    ],
)
def test_what_is_no_secret_stays(text):
    """Text that only looks like a secret is not altered."""
    redactor = Redactor()
    assert redactor.take(Noted(session_id="s", name="n", data=text))[0].data == text


@pytest.mark.parametrize(
    "number", [CARD, "4111-1111-1111-1111", "4111111111111111", "378282246310005", "5555 5555 5555 4444"]
)
def test_card_numbers_go_by_their_check_digit(number):
    """A number whose check digit is wrong is no card, and stays."""
    assert Redactor().text(f"my card {number}.") == "my card [redacted card number]."
    assert number in Redactor("secrets").text(f"my card {number}.")


def test_values_under_secret_names_go_whatever_they_are():
    """What stands under the name of a secret goes: a word, a number, a list, a whole object. A count of tokens stays."""
    event = ToolCallEnded(
        session_id="s",
        result={
            "password": "x", "Authorization": "Basic dXNlcjpwdw==", "api_key": "z1b2c3d4e5", "tokens": 5, "max_tokens": 4096,
            "n": {"db_password": 1}, "passwords": ["hunter2"], "secrets": {"a": "hunter2", "b": ["hunter3"]},
            "auth": ["user", "hunter2"], "headers": [["X-Api-Key", "abcdef012345"]], "b": b"password=hunter2 and more text",
        },
    )  # fmt: skip
    event, payload = Redactor().take(event)
    assert event.result["tokens"] == 5
    assert event.result["max_tokens"] == 4096
    assert event.result["auth"][0] == "user"
    assert event.result["password"] == "[redacted password]"
    assert base64.b64decode(event.result["b"]) == b"password=[redacted password] and more text"
    for secret in (b"dXNlcjpwdw", b"z1b2c3d4e5", b"hunter", b"abcdef012345", b'"db_password":1'):
        assert secret not in payload


def test_email_is_off_by_default():
    """E-mail addresses are taken out only where somebody asks for it."""
    assert Redactor().text("a.b@example.org") == "a.b@example.org"
    assert Redactor("email").text("to a.b@example.org") == "to [redacted e-mail]"


def test_nothing_is_taken_out_when_nothing_is_to_be():
    """With rule ``none`` content is kept as it is."""
    assert Redactor("none").take(Noted(session_id="s", name="n", data=EXAMPLES["key"]))[0].data == EXAMPLES["key"]


def test_the_shape_of_content_can_be_kept_alone():
    """Mode ``redacted`` keeps types, keys and lengths, and no words."""
    redactor = Redactor(mode="redacted")
    event, _ = redactor.take(
        ToolCallEnded(session_id="s", result={"name": "Alice", "age": 30, "ok": True, "of": [None, "ab"]})
    )
    assert event.result == {
        "name": "[redacted 5 characters]",
        "age": "[redacted number]",
        "ok": True,
        "of": [None, "[redacted 2 characters]"],
    }
    event, _ = redactor.take(TurnStarted(session_id="s", prompt="hello", metadata={"customer": "c-1"}))
    assert (event.prompt, event.metadata) == ("[redacted 5 characters]", {"customer": "[redacted 3 characters]"})


@pytest.mark.parametrize("at_ns", [0, 1, 10**18 - 1, 10**19])
def test_a_secret_is_found_whatever_the_time_of_its_event(at_ns):
    """No field of an event lets its content past the scan."""
    event, _ = Redactor().take(TurnStarted(session_id="s", prompt=EXAMPLES["key"], at_ns=at_ns))
    assert event.prompt == "[redacted key]"


def test_what_is_too_long_is_cut_and_its_digest_stays():
    """A cut text says how much is missing, and which text it was."""
    from hashlib import sha256

    text = "x" * 100 + "y" * 900
    event, _ = Redactor(limit=100).take(Noted(session_id="s", name="n", data=[text, "short"]))
    assert event.data == [f"{'x' * 100}[cut 900 characters, sha256 {sha256(b'y' * 900).hexdigest()}]", "short"]


@pytest.mark.parametrize("rules", ["nonsense", "secrets,nonsense", "os.path:absent", "absent_module:f"])
def test_a_rule_that_there_is_not_is_reported_before_the_program_starts(tmp_path, rules):
    """A misspelt rule stops ``turnspan run`` instead of letting secrets through."""
    with pytest.raises(SettingsError, match="TURNSPAN_REDACT"):
        Redactor(rules)
    done = command("run", program(tmp_path / "p.py", "print('ran')"), env={"TURNSPAN_REDACT": rules})
    assert (done.returncode, done.stdout) == (4, "")
    assert "TURNSPAN_REDACT" in done.stderr


def scrub(text):
    return text.replace("Alice", "[name]")


def failing(text):
    raise RuntimeError(f"cannot scrub {text}")


def test_a_rule_of_ones_own_is_applied_to_every_text():
    """A function of the user's sees prompts, arguments, names and answers alike."""
    with record(redact=f"secrets,{__name__}:scrub") as recording:
        with turnspan.turn(agent="a", prompt="I am Alice") as turn, turnspan.tool("t", who={"name": "Alice"}):
            turn.response = "Hi Alice"
        assert "Alice" not in json.dumps(recording.session.to_dict())
        assert recording.turn.prompt == "I am [name]"


def test_a_rule_that_raises_withholds_content_rather_than_letting_it_through(caplog):
    """Where a rule fails the content is left out, and the program goes on."""
    with record(redact=f"{__name__}:failing", strict=False) as recording:
        with (
            turnspan.turn(agent="a", prompt="I am Alice") as turn,
            pytest.raises(KeyError),
            turnspan.tool("t", who="Alice"),
        ):
            turn.response = "Hi Alice"
            raise KeyError("Alice")
        kept = json.dumps(recording.session.to_dict())
        assert "Alice" not in kept
        assert recording.turn.tool_calls[0].error == "[withheld: redaction failed]"
        assert len(recording.turn.audit_event_ids) == 4
    assert caplog.text.count("turnspan redaction failed, the agent goes on: RuntimeError: content is withheld") == 1
    assert "Alice" not in caplog.text


def test_an_unknown_rule_in_a_running_program_keeps_content_out(caplog):
    """A wrong rule that is noticed late records no content at all, and a warning names it."""
    with record(redact="nonsense", strict=False) as recording:
        with turnspan.turn(prompt="hello"):
            pass
        assert recording.turn.prompt == ""
    assert "TURNSPAN_REDACT: nonsense is not a rule" in caplog.text


def test_a_record_that_the_application_made_stays_as_it_is(recording):
    """What the program stores itself through an observed manager is not rewritten."""
    manager = turnspan.observe(turnspan.SessionManager(recording.store))
    session = manager.start_session()
    manager.record_turn(session.session_id, turnspan.TurnRecord("t", prompt=f"use {EXAMPLES['key']}"))
    assert EXAMPLES["key"] in manager.get_session(session.session_id).turns[0].prompt


PROGRAM = """
import logging, turnspan
turnspan.configure()
SECRETS = {secrets!r}
with turnspan.session("s", metadata={{"of": SECRETS[0]}}), turnspan.turn(agent="a", prompt=" ".join(SECRETS)) as turn:
    for secret in SECRETS:
        try:
            with turnspan.tool("t", given=secret) as call:
                call.result = [secret, {{"nested": secret}}]
                raise RuntimeError(f"failed with {{secret}}")
        except RuntimeError:
            pass
        with turnspan.model_call("m", messages=[{{"role": "user", "content": secret}}]) as call:
            call.output = secret
        turn.note("n", secret)
    turn.handoff("b", reason=SECRETS[0])
    turn.response = SECRETS[-1]
"""


@pytest.mark.parametrize("content", ["NO_CONTENT", "SPAN_AND_EVENT"])
def test_no_secret_is_in_any_file(tmp_path, content):
    """Neither database, journal, spans nor log has a secret of the program, with content on spans and without."""
    keys = [text for text in EXAMPLES.values() if " " not in text and "=" not in text and "://" not in text]
    needles = [*keys, "hunter2@", CARD]
    secrets = [*keys, EXAMPLES["password"], CARD]
    env = {"TURNSPAN_KEEP_JOURNAL": "1", "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": content}
    run(PYTHON, program(tmp_path / "p.py", PROGRAM.format(secrets=secrets)), env=env, check=True)
    files = [path for path in (tmp_path / ".turnspan").rglob("*") if path.is_file()]
    assert len(files) >= 4
    for path in files:
        data = path.read_bytes().decode("utf-8", "replace")
        assert [needle for needle in needles if needle in data] == [], path
        assert path.stat().st_mode & 0o077 == 0 or path.name == ".gitignore", path
    assert (tmp_path / ".turnspan").stat().st_mode & 0o077 == 0


def test_a_turn_of_an_application_keeps_its_own_ids(recording):
    """Ids are never redacted: they are what ties things together."""
    emit = recording.recorder.emit
    emit(TurnStarted(session_id="sk-proj-" + KEY, turn_id="t", prompt=EXAMPLES["key"]))
    emit(TurnEnded(session_id="sk-proj-" + KEY, turn_id="t"))
    assert recording.session.session_id == "sk-proj-" + KEY
    assert recording.turn.prompt == "[redacted key]"


def test_nothing_of_ours_prints_content_by_accident(recording):
    """The ``repr`` of records, rows, events and operations has ids and names only."""
    from rich.pretty import pretty_repr

    with turnspan.turn(agent="a", prompt="I am Alice") as turn, turnspan.tool("t", who="Alice") as call:
        call.result = turn.response = "Hi Alice"
    session = recording.session
    rows = recording.store.audit_events(session.session_id)
    things = [session, session.turns[0], session.turns[0].tool_calls[0], turn, call, rows, recording.recorder]
    things += [decode(row.payload.encode()) for row in rows]
    for thing in things:
        assert "Alice" not in repr(thing)
        assert "Alice" not in pretty_repr(thing)
    assert repr(session.turns[0]).startswith("TurnRecord(turn_id=")


def test_a_stores_password_is_written_nowhere(tmp_path):
    """URLs lose their password before they are shown or written down, odd ones too."""
    from turnspan.settings import without_password

    for url, shown in {
        "postgresql://bob:hunter2@db:5432/x": "postgresql://bob@db:5432/x",
        "postgresql://bob:hun@ter/2@db:5432/x": "postgresql://bob@db:5432/x",
        "redis://:hunter2@h:6379/0": "redis://@h:6379/0",
        "postgresql://db/x?password=hunter2&sslmode=require": "postgresql://db/x?sslmode=require",
        "redis://h/0?password=hunter2": "redis://h/0",
        "sqlite:////home/a:b@c/x.db": "sqlite:////home/a:b@c/x.db",
        "http://host:80/a:b@c": "http://host:80/a:b@c",
        "postgresql://h/x?a=b@c": "postgresql://h/x?a=b@c",
    }.items():
        assert without_password(url) == shown
    text = "import turnspan\nturnspan.configure()\nwith turnspan.turn(): pass"
    done = run(PYTHON, program(tmp_path / "p.py", text), env={"TURNSPAN_STORE": "file://bob:hunter2@nowhere/sys/x"})
    assert done.returncode == 0
    assert "hunter2" not in done.stderr
    for path in (tmp_path / ".turnspan").rglob("*"):
        assert path.is_dir() or b"hunter2" not in path.read_bytes()
