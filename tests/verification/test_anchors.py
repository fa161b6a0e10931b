"""With an anchor, nothing older than it changes without being named, whoever changes it, and with whatever key."""

import itertools
import os
import random
import shutil
import subprocess
from collections import Counter

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import turnspan
from support.breaker import opened
from support.programs import turnspan as command
from support.rewriter import (
    EDITS,
    chains_of,
    cut_the_end,
    empty,
    leave_out_an_event,
    made_to_fit,
    move_a_turn,
    rewritten,
    told_in,
    write_home,
)
from turnspan.errors import EvidenceError, SettingsError
from turnspan.journal.seals import Key
from turnspan.recording import runtime
from turnspan.recording.recorder import Recorder
from turnspan.settings import Settings
from turnspan.stores import open_store
from turnspan.verification import verify
from turnspan.verification.anchors import head_of_store, merkle_root, read_anchor
from verification.conftest import record, record_with_spans

PEM = serialization.Encoding.PEM
REWRITINGS = max(25, int(os.environ.get("SOAK_EDITS", "0")) // 10)
"""How many different ones are looked at: 1,000 in ``make soak``."""
FOREIGN = Key(
    Ed25519PrivateKey.generate().private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
)


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
    """A home and its anchor: two chains, the beginning of a third, whose process goes on, and a fourth that came later."""
    folder = tmp_path_factory.mktemp("anchored")
    key = str(keys / "private.pem")
    made = record_with_spans(folder / "home", key, sessions=("a", "b"), keep_journal=True)
    recorder = Recorder(made)
    before = runtime.use(recorder)
    try:
        with turnspan.session("c") as session:
            for _ in range(2):
                with turnspan.turn(agent="x", prompt="p") as turn:
                    turn.response = "r"
                session.end()
                recorder.flush()
                recorder.flush()  # the seal, too
                if not (folder / "anchor").exists():
                    signed = with_store(
                        made, lambda store: head_of_store(store, "example.com/agents").signed(Key.read(key))
                    )
                    (folder / "anchor").write_text(signed)
    finally:
        runtime.use(before)
        recorder.close()
    record(folder / "home", sessions=("later",), processes=1, signing_key=key, keep_journal=True)
    return folder


@pytest.fixture(scope="module")
def others(tmp_path_factory, keys):
    """The chains of another store, signed with the same key."""
    home = tmp_path_factory.mktemp("other") / "home"
    record(home, sessions=("a", "elsewhere"), processes=1, signing_key=str(keys / "private.pem"))
    return chains_of(home)


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
    assert (origin, int(size)) == ("example.com/agents", len(leaves)) == ("example.com/agents", 3)
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
    assert report.counts["anchor"] == {"ok": 3}


SEAMLESS = [edit for edit in dict.fromkeys(EDITS) if edit not in (leave_out_an_event, move_a_turn, cut_the_end)]


@pytest.mark.parametrize("edit", [None, *SEAMLESS], ids=lambda edit: getattr(edit, "__name__", "none"))
def test_what_the_key_was_used_for_is_seen_with_the_anchor_alone(copy, keys, edit):
    """Store, journals, log and spans rewritten together, and signed with the true key: nobody else could know."""
    key = Key.read(keys / "private.pem")
    told = {journal: told_in(lines) for journal, lines in chains_of(copy / "home").items()}
    if edit is not None:
        edit(random.Random(4), told, min(told))
    chains = {}
    for journal, said in sorted(told.items()):
        before = {name: f"{lines[-1].sequence} {lines[-1].hash}" for name, lines in chains.items()}
        chains |= {journal: made_to_fit(journal, said, key, before)} if said else {}
    write_home(copy / "home", chains)
    made, public = Settings.read(home=copy / "home"), str(keys / "public.pem")
    assert verify(settings=made, key=public).exit_code == (4 if edit is empty else 0), "all of it agrees"
    report = verify(settings=made, key=public, anchors=[str(copy / "anchor")])
    assert report.exit_code == 3
    assert {finding.id for finding in report.findings if finding.check == "anchor"} == anchored_in(copy).keys()


def test_nothing_that_is_older_changes_unnamed(anchored, others, keys, tmp_path):
    """Whatever is rewritten, with whatever key, and made to agree: the chains that are older and changed are named, and no others."""
    folder, heads = tmp_path / "copy", anchored_in(anchored)
    shutil.copytree(anchored, folder)
    chains, private = chains_of(anchored / "home"), Key.read(keys / "private.pem")
    seen, done = set(), Counter()
    for number in itertools.count():
        dice = random.Random(number)
        key = dice.choice([None, private, FOREIGN])
        new, how = rewritten(dice, chains, others, key)
        which = repr([(journal, [(line.digest, line.span) for line in lines]) for journal, lines in new.items()])
        if which in seen:
            continue
        seen.add(which)
        done.update(how)
        write_home(folder / "home", new)
        touched = {journal for journal, (at, own) in heads.items() if hash_of_line(new.get(journal, []), at) != own}
        if touched and dice.random() < 0.2:
            how.append("and the old hash is said to be the new line's")
            with opened(folder / "home") as db:
                for journal in touched:
                    at, own = heads[journal]
                    db.execute(
                        "update audit_events set hash = ? where journal = ? and sequence = ?", (own, journal, at)
                    )
        checked_with = dice.choice([None, str(keys / "public.pem")])
        report = verify(
            settings=Settings.read(home=folder / "home"), key=checked_with, anchors=[str(folder / "anchor")]
        )
        assert named_in(report, heads) == touched, (number, how, key, checked_with, report.findings)
        assert not touched or report.exit_code == 3, (number, how, key, checked_with, report)
        if len(seen) == REWRITINGS:
            break
    print(f"{len(seen)} different rewritings: {dict(done.most_common())}")


def hash_of_line(lines, number):
    return next((line.hash for line in lines if line.sequence == number), None)


def named_in(report, heads):
    """Return the anchored chains of which it is said that they are not what they were."""
    older = [
        f
        for f in report.findings
        if f.verdict == "altered" and (f.check == "anchor" or "the hash that it was given" in f.says)
    ]
    return {journal for journal in heads if any(journal in f"{finding.id} {finding.says}" for finding in older)}


def anchored_in(folder):
    return read_anchor(folder / "anchor", None)[0].heads


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
    for other in (text.replace("example.com", "example.org", 1), text.replace("\n3\n", "\n4\n"), "nothing\n"):
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
    assert report.counts["anchor"] == {"ok": 3}
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
