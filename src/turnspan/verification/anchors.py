"""Anchors: the head of a store at one time, signed, to be kept where nobody who can write to the store can write.

An anchor is a checkpoint of https://c2sp.org/tlog-checkpoint, a signed note (https://c2sp.org/signed-note) that any tool
of that kind reads: the origin, how many chains there are, and the root of a Merkle tree (RFC 6962) whose leaves are
their ends, in the order of their journals. These leaves follow as extension lines, ``journal number hash``, so that what
is gone or not the same any more can be named::

    turnspan.example/agents
    2
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
    01a216bc5893779c9bd53134e7835f82 49 7ee55da41fb24f96047eee07835d165e2e0d4da50fcb01f47f5312c7401b80cc
    01a216bc6b187dc0bc6f253e6373e597 31 846ceb831657f725d9203686f34a5e71592f11f67f1bfeefa11d6d440096f8e0

    — turnspan.example/agents Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5...
"""

from __future__ import annotations

import base64
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from turnspan.errors import EvidenceError, SettingsError
from turnspan.journal.seals import Heads, Key
from turnspan.stores.base import Audited, AuditFilter
from turnspan.verification.report import Report

if TYPE_CHECKING:
    from turnspan.verification.chains import Chains

_ED25519 = b"\x01"
"""The type of a signature, as signed notes number them."""
_LEAF = re.compile(r"([0-9a-f]{32}) ([1-9][0-9]*) ([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where the chains of a store ended when it was anchored."""

    origin: str
    heads: Heads
    where: str = ""

    def note(self) -> str:
        """Return the text that is signed."""
        leaves = [f"{journal} {sequence} {own}" for journal, (sequence, own) in sorted(self.heads.items())]
        root = base64.b64encode(merkle_root([leaf.encode() for leaf in leaves])).decode()
        return "\n".join([self.origin, str(len(leaves)), root, *leaves]) + "\n"

    def signed(self, key: Key) -> str:
        """Return the whole checkpoint, signed.

        Raises:
            SettingsError: When this is not a private Ed25519 key.

        """
        note = self.note()
        kind, _, signature = key.sign(note.encode()).partition(":")
        public = key.public_bytes()
        if kind != "ed25519" or public is None:
            raise SettingsError(
                "An anchor is signed with an Ed25519 key, which others can check without being able to sign: make one "
                "with `openssl genpkey -algorithm ed25519 -out key.pem`, and name it with --key or TURNSPAN_SIGNING_KEY"
            )
        line = base64.b64encode(_key_id(self.origin, public) + bytes.fromhex(signature)).decode()
        return f"{note}\n\u2014 {self.origin} {line}\n"


def head_of_store(store: Audited, origin: str) -> Anchor:
    """Return where the chains of a store end now.

    Raises:
        SettingsError: When the origin cannot be one: it is a name without spaces and plus signs.

    """
    if not origin or any(c.isspace() or c == "+" or not c.isprintable() for c in origin):
        raise SettingsError(f"{origin!r} cannot be an origin: use a name without spaces and `+`, as example.com/agents")
    heads: Heads = {}
    for journal, rows in groupby(store.audit_rows(AuditFilter()), key=lambda row: row.journal):
        *_, last = rows
        heads[journal] = (last.sequence, last.hash)
    for gone in store.audit_removed():
        if gone.last > heads.get(gone.journal, (0, ""))[0]:
            heads[gone.journal] = (gone.last, gone.hash)
    return Anchor(origin, heads)


def commit(folder: Path, name: str, text: str) -> str:
    """Write an anchor into a folder and, where that is a git repository, commit it; return where it is.

    Raises:
        EvidenceError: When git cannot commit it.

    """
    path = folder / name
    path.write_text(text)
    asked = ["git", "-C", str(folder)]
    inside = subprocess.run([*asked, "rev-parse", "--is-inside-work-tree"], capture_output=True, check=False)  # noqa: S603
    if inside.returncode:
        return str(path)
    for what in (["add", "--", name], ["commit", "--quiet", "-m", f"Anchor {text.splitlines()[0]}", "--", name]):
        done = subprocess.run([*asked, *what], capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode and "nothing to commit" not in done.stdout:
            raise EvidenceError(f"git cannot commit {path}: {(done.stderr or done.stdout).strip()}")
    commit_id = subprocess.run([*asked, "rev-parse", "HEAD"], capture_output=True, text=True, check=False)  # noqa: S603
    return f"{path}, git commit {commit_id.stdout.strip()}"


def read_anchor(path: Path, key: Key | None) -> tuple[Anchor, bool]:
    """Read an anchor; return whether its signature was checked, too.

    Raises:
        EvidenceError: When it cannot be read, is not an anchor, or is not what was signed.
        SettingsError: When the key cannot check it.

    """
    try:
        text = path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise EvidenceError(f"The anchor {path} cannot be read: {error}") from error
    note, blank, signatures = text.rpartition("\n\n")
    lines = note.split("\n")
    leaves = [_LEAF.fullmatch(line) for line in lines[3:]]
    if not blank or len(lines) < 3 or None in leaves:
        raise EvidenceError(f"{path} is not an anchor of turnspan: it is not a checkpoint with the ends of chains")
    heads = {leaf[1]: (int(leaf[2]), leaf[3]) for leaf in leaves if leaf is not None}
    anchor = Anchor(lines[0], heads, str(path))
    if anchor.note() != f"{note}\n":
        raise EvidenceError(f"The anchor {path} does not have the root that it says: it was altered")
    if key is None:
        return anchor, False
    if (public := key.public_bytes()) is None:
        raise SettingsError(f"The anchor {path} is signed with an Ed25519 key; --key names one of another kind")
    if not _is_signed(anchor, signatures, key, public):
        raise EvidenceError(
            f"The anchor {path} is not signed by this key: it is another one, or the anchor was altered"
        )
    return anchor, True


def _is_signed(anchor: Anchor, signatures: str, key: Key, public: bytes) -> bool:
    for line in signatures.splitlines():
        dash, _, rest = line.partition(" ")
        name, _, value = rest.rpartition(" ")
        try:
            found = base64.b64decode(value, validate=True)
        except ValueError:
            continue
        if dash == "\u2014" and name == anchor.origin and found[:4] == _key_id(name, public):
            return key.verifies(anchor.note().encode(), f"ed25519:{found[4:].hex()}")
    return False


def _key_id(name: str, public: bytes) -> bytes:
    return sha256(f"{name}\n".encode() + _ED25519 + public).digest()[:4]


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """Return the root of the Merkle tree of RFC 6962 over these leaves."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + merkle_root(leaves[:half]) + merkle_root(leaves[half:])).digest()


# Looking back ------------------------------------------------------------------------------------------------------


def check_anchor(anchor: Anchor, chains: Chains, report: Report, *, whole: bool = True) -> None:
    """Check that every chain is still what an anchor says that it was.

    Args:
        anchor: The anchor.
        chains: The chains.
        report: Takes what is found.
        whole: Whether all chains were read; else those that were, from the first line on that was.

    """
    for journal, (sequence, own) in sorted(anchor.heads.items()):
        if not whole and (journal not in chains.ends or sequence < chains.begins_at(journal)):
            continue
        found = chains.hash_at(journal, sequence)
        where = f"lines 1 to {sequence} of journal {journal}, as {anchor.where} has them"
        if found == own:
            report.ok("anchor")
        elif found is not None:
            says = f"{where}, are not those that are there: one of them or more were rewritten"
            report.add("anchor", "altered", None, journal, says)
        elif (gone := chains.removal_of(journal, sequence)) is not None:
            says = f"{where}: the last of them were removed since, by record, on {gone.at}"
            report.add("anchor", "removed", None, journal, says)
        else:
            last = chains.ends_at(journal)
            says = f"{where}: {'the whole chain is gone' if not last else f'it ends behind line {last} now'}"
            report.add("anchor", "altered", None, journal, says)
