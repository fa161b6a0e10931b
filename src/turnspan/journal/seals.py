"""Seals: what is said, at the end, about how much there is.

A chain shows what was altered inside of it, but not that its end was cut off. So when a session ends, and when a process
does, a seal says how many events the session has in this chain and the hash of the last of them. It is an audit event
itself, it stands in the session's metadata and in the log, and it may be signed.

The first seal of a chain names where the other chains of its store ended (``before``), so that a whole chain cannot go
without a trace; the last one closes the chain, and vouches for the line right before it.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from turnspan.errors import MissingExtraError, SettingsError
from turnspan.events import Noted
from turnspan.model.ids import new_id, now_ns
from turnspan.model.records import iso

NOTE = "seal"
"""The name of the :class:`~turnspan.events.Noted` that a seal is."""


FORMAT = 1
"""Seals of this format are written by processes that link their chains and close them; older ones (0) promise neither."""
Heads = dict[str, tuple[int, str]]
"""Where chains end: by journal, the number and the hash of a line."""


class Seal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one chain has of one session, behind line ``after`` until line ``sequence``.

    ``head`` is the hash of that line, which is from ``at``. ``dropped`` counts events that neither disk nor memory could
    take, ``log_failed`` lines that the log file did not take, and ``spans`` what became of the process's spans, by
    exporter: ``ended exported failed dropped``.

    ``outlets`` says where things went: ``{"spans": [...], "log": [...]}``, spans to "file" (in home), "otlp:<host>" or
    "provider" (the program's own), log lines to "file" (in home), "file:<path>", "stderr", "structlog", "off" or
    "otlp:<host>".

    ``closed`` says why the chain ends here, "" when it goes on; such a seal
    is line number ``line`` itself, behind the line whose hash is ``previous``. ``before``: where other chains ended,
    by journal the number and the hash of a line.
    ``event_id``, ``session_id`` and ``at_ns`` are those of the event that the seal is, so that it cannot be put elsewhere.
    """

    journal: str
    after: int
    sequence: int
    head: str
    events: int
    turns: int
    at: str = ""
    sealed_at: str = ""
    closed: str = ""
    dropped: int = 0
    log_failed: int = 0
    spans: dict[str, dict[str, int]] = {}
    outlets: dict[str, list[str]] = {}
    format: int = 0
    before: dict[str, str] = {}
    line: int = 0
    previous: str = ""
    event_id: str = ""
    session_id: str = ""
    at_ns: int = 0
    signature: str = ""

    def signed(self, key: Key | None) -> Seal:
        """Return the seal with a signature, if there is a key."""
        return self if key is None else msgspec.structs.replace(self, signature=key.sign(self.statement()))

    def event(self, session_id: str, key: Key | None, **more: Any) -> Noted:
        """Return the event that puts the seal on record, signed if there is a key."""
        at_ns, event_id = now_ns(), new_id()
        own = {"event_id": event_id, "session_id": session_id, "at_ns": at_ns}
        sealed = msgspec.structs.replace(self, format=FORMAT, sealed_at=iso(at_ns), **own, **more).signed(key)
        return Noted(session_id=session_id, name=NOTE, data=msgspec.to_builtins(sealed), at_ns=at_ns, event_id=event_id)

    def heads(self) -> Heads:
        """Return where other chains ended."""
        found: Heads = {}
        for journal, text in self.before.items():
            number, _, own = text.partition(" ")
            found[journal] = (int(number) if number.isdecimal() else 0, own)
        return found

    def is_signed_by(self, key: Key) -> bool:
        """Return whether its signature is of this key."""
        return key.verifies(self.statement(), self.signature)

    def statement(self) -> bytes:
        """Return what is signed: everything but the signature."""
        return msgspec.json.encode(msgspec.structs.replace(self, signature=""), order="sorted")


def seal_of(event: Any) -> Seal | None:
    """Return the seal that an event is, if it is one."""
    if getattr(event, "name", None) != NOTE or event.turn_id is not None:
        return None
    try:
        return msgspec.convert(event.data, Seal)
    except msgspec.ValidationError:
        return None


class Key:
    """What seals are signed and checked with.

    Args:
        secret: Either any 16 bytes or more, for HMAC-SHA-256: whoever can check can also sign; or an Ed25519 key in PEM
            (RFC 8410), a private one to sign and check, a public one to check.

    Raises:
        SettingsError: When this is not a valid key.
        MissingExtraError: When Ed25519 is wanted and the package for it is not installed.

    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret.strip()
        self._private: Any = None
        self._public: Any = None
        if self._secret.startswith(b"-----BEGIN"):
            self._load_pem()
        elif self._secret.startswith((b"ssh-", b"ecdsa-", b"untrusted comment:")):
            raise SettingsError(
                "This is a key of SSH or of another tool, and as a secret everybody would have it: use an Ed25519 key in "
                "PEM, as `openssl genpkey -algorithm ed25519` makes it"
            )
        elif len(self._secret) < 16:
            raise SettingsError("A signing key has at least 16 bytes: make one with `openssl rand -hex 32`")

    @classmethod
    def read(cls, path: str | Path) -> Key | None:
        """Read a key from a file; without a path there is none.

        Raises:
            SettingsError: When the file cannot be read or holds no key.

        """
        if not path:
            return None
        try:
            return cls(Path(path).read_bytes())
        except OSError as error:
            raise SettingsError(f"The key file {path} cannot be read: {error.strerror}") from error

    def _load_pem(self) -> None:
        try:
            from cryptography.exceptions import UnsupportedAlgorithm
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
            from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
        except ImportError as error:
            raise MissingExtraError(
                "Ed25519 keys need the package cryptography: pip install 'turnspan[sign]'"
            ) from error
        try:
            if b"PRIVATE" in self._secret:
                self._private = load_pem_private_key(self._secret, None)
                self._public = self._private.public_key()
            else:
                self._public = load_pem_public_key(self._secret)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise SettingsError(f"This is not a valid Ed25519 key in PEM: {error}") from error
        if not isinstance(self._public, Ed25519PublicKey):
            raise SettingsError(
                "This is a key in PEM, and not an Ed25519 one: `openssl genpkey -algorithm ed25519` makes it"
            )

    def public_bytes(self) -> bytes | None:
        """Return the public key as 32 bytes; None for a key that has no public part."""
        found: bytes | None = None if self._public is None else self._public.public_bytes_raw()
        return found

    def sign(self, statement: bytes) -> str:
        """Return the signature of a statement.

        Raises:
            SettingsError: When this is a public key.

        """
        if self._public is None:
            return "hmac-sha256:" + hmac.new(self._secret, statement, sha256).hexdigest()
        if self._private is None:
            raise SettingsError("A public key cannot sign; set TURNSPAN_SIGNING_KEY to the private one")
        return f"ed25519:{self._private.sign(statement).hex()}"

    def verifies(self, statement: bytes, signature: str) -> bool:
        """Return whether a signature is of this key."""
        kind, _, value = signature.partition(":")
        if self._public is None:
            wanted = hmac.new(self._secret, statement, sha256).hexdigest()
            return kind == "hmac-sha256" and hmac.compare_digest(value, wanted)
        from cryptography.exceptions import InvalidSignature

        try:
            self._public.verify(made := bytes.fromhex(value), statement)
        except (InvalidSignature, ValueError):
            return False
        return kind == "ed25519" and made.hex() == value  # written in one way only
