"""What can go wrong, one class a situation.

TurnspanError
├── InvalidIdError (ValueError)          an id that no store can keep
├── SettingsError (ValueError)           a setting, store URL or adapter name that turnspan does not know
├── EvidenceError (OSError)              spans or logs that are to be compared with the record cannot be read
├── DeliveryError (OSError)              an endpoint did not take what was sent again
├── MissingExtraError (ImportError)      a package that an extra would bring is not installed
├── AdapterError (ImportError)           an adapter that was asked for by name is broken
├── IdNotFoundError (LookupError)        nothing has this id, or too many things begin like it
├── NothingRecordedError (LookupError)   there is no store yet, or no session in it
├── BlockInGeneratorError (RuntimeError) a `with` block of ours around the yield of a stream
└── StoreError
    ├── SessionNotFoundError (ValueError)     the session is not in the store
    ├── UnreadableSessionError (ValueError)   it is there, but cannot be read as a session
    └── StoreUnavailableError (OSError)       the store cannot be reached or written right now
        └── StoreReplacedError                its file is gone, or is another one, since it was opened

These are raised to people who called turnspan themselves. A failure while watching an agent is
never raised into the agent: the recorder reports it once and counts it.
"""


class TurnspanError(Exception):
    """Any error that turnspan raises by itself."""


class InvalidIdError(TurnspanError, ValueError):
    """The id is empty, too long, or holds characters that cannot be stored."""


class SettingsError(TurnspanError, ValueError):
    """A setting has a value that turnspan does not know."""


class EvidenceError(TurnspanError, OSError):
    """A file or server that is said to have spans or log lines cannot be read."""


class DeliveryError(TurnspanError, OSError):
    """An endpoint did not take spans that were sent again; sending them once more is safe."""


class MissingExtraError(TurnspanError, ImportError):
    """A feature was asked for by name, and the package it stands on is not installed."""


class AdapterError(TurnspanError, ImportError):
    """An adapter was asked for by name, and its module is broken."""


class IdNotFoundError(TurnspanError, LookupError):
    """Nothing in the record has this id, or several things have one that begins like it."""


class NothingRecordedError(TurnspanError, LookupError):
    """There is nothing to read yet."""


class BlockInGeneratorError(TurnspanError, RuntimeError):
    """A block stands around the ``yield`` of a stream, where other code runs inside of it: use the decorator."""


class StoreError(TurnspanError):
    """A store could not do what it was asked."""


class SessionNotFoundError(StoreError, ValueError):
    """No session with this id is in the store."""

    def __init__(self, session_id: str, says: str = "") -> None:
        super().__init__(says or f"Session not found: {session_id}")
        self.session_id = session_id


class UnreadableSessionError(StoreError, ValueError):
    """What is stored under this id is damaged, or was not written as a session."""


class StoreUnavailableError(StoreError, OSError):
    """The store is locked, read-only, full or unreachable; what was observed waits in the journal."""


class StoreReplacedError(StoreUnavailableError):
    """The file of the store was removed, moved or replaced while it was open."""
