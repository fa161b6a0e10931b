"""With an anchor, nothing older than it changes without being named, whoever changes it, and with whatever key."""

import os
import shutil
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.breaker import opened, rows_of
from support.programs import turnspan as command
from turnspan.errors import EvidenceError, SettingsError
from turnspan.journal.hash_chain import Line, decode, digest_of, head_of, line_hash
from turnspan.journal.seals import Key, seal_of
from turnspan.model.json_values import encode
from turnspan.recording.ledger import Ledger
from turnspan.settings import Settings
from turnspan.stores import open_store
from turnspan.verification import verify
from turnspan.verification.anchors import head_of_store, merkle_root, read_anchor
from verification.conftest import record

PEM = serialization.Encoding.PEM


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Files with a private key and its public one."""
    folder = tmp_path_factory.mktemp("keys")
    private = Ed25519PrivateKey.generate()
    (folder / "private.pem").write_bytes(
        private.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    public = private.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (folder / "public.pem").write_bytes(public)
    return folder


@pytest.fixture(scope="module")
def anchored(tmp_path_factory, keys):
    """A home with two chains, and its anchor, made before a third chain was written."""
    folder = tmp_path_factory.mktemp("anchored")
    made = record(folder / "home", sessions=("a", "b"), signing_key=str(keys / "private.pem"))
    with_store(made, lambda store: (folder / "anchor").write_text(
        head_of_store(store, "example.com/agents").signed(Key.read(keys / "private.pem"))
    ))  # fmt: skip
    record(folder / "home", sessions=("later",), processes=1, signing_key=str(keys / "private.pem"))
    return folder


def with_store(made, do):
    store = open_store(made.store_url)
    try:
        return do(store)
    finally:
        store.close()


@pytest.fixture
def copy(anchored, tmp_path):
    shutil.copytree(anchored, tmp_path / "copy")
    return tmp_path / "copy"


def look(folder, keys, **more):
    made = Settings.read(home=folder / "home")
    anchor = str(folder / "anchor")
    return verify(settings=made, key=str(keys / "public.pem"), anchors=[anchor], spans="none", **more)


def test_an_anchor_is_a_checkpoint_that_was_signed(anchored, keys):
    """Origin, size, root and signature are those of c2sp.org/tlog-checkpoint and signed-note."""
    text = (anchored / "anchor").read_text()
    note, _, signature = text.rpartition("\n\n")
    origin, size, _root, *leaves = note.split("\n")
    assert (origin, int(size)) == ("example.com/agents", len(leaves)) == ("example.com/agents", 2)
    assert signature.startswith("\u2014 example.com/agents ")
    anchor, is_checked = read_anchor(anchored / "anchor", Key.read(keys / "public.pem"))
    assert is_checked
    assert anchor.note() == note + "\n"


def test_the_root_is_that_of_rfc_6962():
    """The known answers of the RFC's reference implementation."""
    leaves = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243")]
    assert merkle_root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert merkle_root(leaves[:1]).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert merkle_root(leaves[:3]).hex() == "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"
    assert merkle_root(leaves).hex() == "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"


def test_what_is_as_it_was_is_proven(copy, keys):
    """Chains that came later do not disturb an anchor."""
    report = look(copy, keys)
    assert report.proven, report.findings
    assert report.counts["anchor"] == {"ok": 2}


@pytest.mark.parametrize("what", ["an event", "an order", "a tail", "a chain", "everything"])
def test_what_is_older_is_named_even_if_all_is_rewritten_with_the_key(copy, keys, what):
    """Store, log, spans and journals rewritten together, signed with the true key: the anchor says which chain."""
    journals = rewrite(copy / "home", Key.read(keys / "private.pem"), what)
    (copy / "home" / "turnspan.log.jsonl").unlink()
    report = look(copy, keys, logs="none")
    assert report.exit_code == 3
    assert {finding.id for finding in report.findings if finding.check == "anchor"} >= journals
    if what in ("an event", "a chain"):
        without = verify(settings=Settings.read(home=copy / "home"), spans="none", logs="none")
        assert without.proven, "without the anchor nobody could know"


@settings(
    max_examples=max(25, int(os.environ.get("SOAK_EDITS", "0")) // 10),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_no_event_that_is_older_changes_unnamed(anchored, keys, tmp_path, data):
    """Whichever event of whichever anchored chain is changed or left out, the rest being made to fit."""
    folder = tmp_path / "copy"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(anchored, folder)
    with opened(folder / "home") as db:
        count = len([1 for row in rows_of(db, "audit_events") if row["kind"] != "noted"])
    at, leave_out = data.draw(st.integers(0, count - 1)), data.draw(st.booleans())
    journals = rewrite(folder / "home", Key.read(keys / "private.pem"), (at, leave_out))
    report = look(folder, keys, logs="none")
    named = {finding.id for finding in report.findings if finding.check == "anchor"}
    assert named >= journals


def rewrite(home, key, what):
    """Write a whole store anew, with some event changed, signed with the true key; return the anchored chains it is in."""
    with opened(home) as db:
        rows = rows_of(db, "audit_events", "1 order by journal, sequence")
    chains = {}
    for row in rows:
        event = decode(row["payload"].encode())
        if seal_of(event) is None:
            chains.setdefault(row["journal"], []).append(event)
    anchored = sorted(chains)[:2]
    touched = {anchored[0]}
    match what:
        case "an event":
            at = next(n for n, e in enumerate(chains[anchored[0]]) if type(e).__name__ == "TurnEnded")
            chains[anchored[0]][at] = changed(chains[anchored[0]][at])
        case "an order":
            chains[anchored[0]] = chains[anchored[0]][::-1]
        case "a tail":
            chains[anchored[0]] = chains[anchored[0]][:-1]
        case "a chain":
            del chains[anchored[0]]
        case "everything":
            chains, touched = {}, set(anchored)
        case (at, leave_out):
            flat = [(journal, n) for journal, events in chains.items() for n, e in enumerate(events)]
            journal, n = flat[at % len(flat)]
            touched = {journal} & set(anchored)
            chains[journal][n : n + 1] = [] if leave_out else [changed(chains[journal][n])]
    for name in ("sessions.db", "sessions.db-wal", "sessions.db-shm"):
        (home / name).unlink(missing_ok=True)
    store = open_store(Settings.read(home=home).store_url)
    for journal, events in chains.items():
        store.apply(folded(journal, events, key))
    store.close()
    return touched


def changed(event):
    import msgspec

    return msgspec.structs.replace(event, at_ns=event.at_ns + 1000)


def folded(journal, events, key):
    """Fold events as the process would have, and close the chain with a true signature."""
    ledger, sequence, own = Ledger(journal), 0, ""

    def add(event):
        nonlocal sequence, own
        payload = encode(event)
        line = Line(sequence + 1, own, "", digest_of(payload), None, payload)
        ledger.fold(line)
        own = line_hash(journal, head_of(line.sequence, own, line.digest, None), event)
        sequence += 1

    for event in events:
        add(event)
    due = ledger.sessions.closing()
    for left, (session_id, seal) in zip(reversed(range(len(due))), due, strict=True):
        last = {} if left else {"line": sequence + 1, "previous": own}
        add(seal.event(session_id, key, closed="the process ended", **last))
    return ledger.take()


def test_what_was_erased_or_removed_since_is_named_as_such(copy, keys):
    """What somebody with the key did since, by record, is explained, and said."""
    from turnspan.maintenance.erase import erase
    from turnspan.maintenance.removal import remove_session

    made = Settings.read(home=copy / "home", signing_key=str(keys / "private.pem"))
    with_store(made, lambda store: erase("a", store, made))
    report = look(copy, keys)
    assert [(f.check, f.verdict, f.session_id) for f in report.findings] == [("anchor", "removed", "a")]
    with_store(made, lambda store: remove_session("b", store, Key.read(made.signing_key)))
    report = look(copy, keys, logs="none")
    assert report.exit_code == 1
    assert {f.verdict for f in report.findings} == {"removed"}


def test_an_anchor_that_was_altered_or_is_signed_by_another_key_is_refused(copy, keys, tmp_path):
    """An anchor is only worth its signature."""
    text = (copy / "anchor").read_text()
    for other in (text.replace("example.com", "example.org", 1), text.replace("\n2\n", "\n3\n"), "nothing\n"):
        (copy / "anchor").write_text(other)
        with pytest.raises(EvidenceError, match="anchor"):
            look(copy, keys)
    (copy / "anchor").write_text(text)
    with pytest.raises(EvidenceError, match="not signed by this key"):
        other = tmp_path / "other.pem"
        other.write_bytes(
            Ed25519PrivateKey.generate().public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        )
        verify(settings=Settings.read(home=copy / "home"), key=str(other), anchors=[str(copy / "anchor")])
    (tmp_path / "hmac").write_text("0123456789abcdef0123456789abcdef")
    with pytest.raises(SettingsError, match="of another kind"):
        verify(settings=Settings.read(home=copy / "home"), key=str(tmp_path / "hmac"), anchors=[str(copy / "anchor")])


def test_without_a_key_it_is_said_that_the_signature_was_not_checked(copy):
    """An anchor whose signature nobody looked at is compared, and that is said."""
    report = verify(settings=Settings.read(home=copy / "home"), anchors=[str(copy / "anchor")], spans="none")
    assert report.counts["anchor"] == {"ok": 2}
    assert any("was not checked" in note for note in report.notes)


def test_the_command_writes_a_file_prints_and_commits(copy, keys):
    """To a file, to standard output, and to a git repository, where each one is a commit."""
    options = ("--home", copy / "home", "--key", keys / "private.pem", "--origin", "example.com/agents")
    printed = command("anchor", *options, check=True).stdout
    command("anchor", *options, "--to", copy / "new", check=True)
    assert (copy / "new").read_text() == printed
    repository = copy / "repository"
    for arguments in (
        ["init", "-q", str(repository)],
        ["-C", str(repository), "config", "user.email", "a@example.com"],
    ):
        subprocess.run(["git", *arguments], check=True)
    subprocess.run(["git", "-C", str(repository), "config", "user.name", "a"], check=True)
    assert "git commit" in command("anchor", *options, "--to", repository, check=True).stdout
    log = subprocess.run(
        ["git", "-C", str(repository), "log", "--format=%s"], capture_output=True, text=True, check=True
    )
    assert log.stdout == "Anchor example.com/agents\n"
    done = command(
        "verify", "--home", copy / "home", "--spans", "none", "--key", keys / "public.pem",
        "--anchor", repository / "anchor.txt",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("options", [[], ["--key", "hmac"], ["--origin", "two words"]])
def test_what_cannot_be_anchored_is_reported(copy, keys, options):
    """No key, a key that others could sign with too, a name that is not one."""
    (copy / "hmac").write_text("0123456789abcdef0123456789abcdef")
    key = [] if not options or "--key" in options else ["--key", keys / "private.pem"]
    done = command("anchor", "--home", copy / "home", *key, *options, cwd=copy)
    assert done.returncode == 4
    assert done.stderr.count("\n") == 1
