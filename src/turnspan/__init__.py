"""See what AI agents did, and prove it: sessions, spans and logs, tied together by audit event ids.

Names are imported when they are first used, so that ``import turnspan``, and a program that ``turnspan run`` starts,
pay only for what they touch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from turnspan.api import agent as agent
    from turnspan.api import current_session as current_session
    from turnspan.api import current_turn as current_turn
    from turnspan.api import environment as environment
    from turnspan.api import handoff as handoff
    from turnspan.api import model_call as model_call
    from turnspan.api import note as note
    from turnspan.api import session as session
    from turnspan.api import tool as tool
    from turnspan.api import turn as turn
    from turnspan.asynchronous import AsyncSessionManager as AsyncSessionManager
    from turnspan.asynchronous import BlockingStore as BlockingStore
    from turnspan.autoinstrument import instrument as instrument
    from turnspan.autoinstrument import uninstrument as uninstrument
    from turnspan.errors import InvalidIdError as InvalidIdError
    from turnspan.errors import MissingExtraError as MissingExtraError
    from turnspan.errors import SessionNotFoundError as SessionNotFoundError
    from turnspan.errors import SettingsError as SettingsError
    from turnspan.errors import StoreError as StoreError
    from turnspan.errors import StoreUnavailableError as StoreUnavailableError
    from turnspan.errors import TurnspanError as TurnspanError
    from turnspan.errors import UnreadableSessionError as UnreadableSessionError
    from turnspan.events import Usage as Usage
    from turnspan.logs import TurnFilter as TurnFilter
    from turnspan.logs import add_turn as add_turn
    from turnspan.logs import add_turn_to_loguru as add_turn_to_loguru
    from turnspan.manager import SessionManager as SessionManager
    from turnspan.observed import observe as observe
    from turnspan.process import configure as configure
    from turnspan.process import flush as flush
    from turnspan.process import shutdown as shutdown
    from turnspan.proof import verify as verify
    from turnspan.records import AgentTransitionRecord as AgentTransitionRecord
    from turnspan.records import SessionId as SessionId
    from turnspan.records import SessionRecord as SessionRecord
    from turnspan.records import ToolCallRecord as ToolCallRecord
    from turnspan.records import TurnRecord as TurnRecord
    from turnspan.records import WorkspaceId as WorkspaceId
    from turnspan.settings import Settings as Settings
    from turnspan.stores import FileSessionStore as FileSessionStore
    from turnspan.stores import InMemorySessionStore as InMemorySessionStore
    from turnspan.stores import SessionStore as SessionStore
    from turnspan.stores import SqlSessionStore as SqlSessionStore
    from turnspan.stores import open_store as open_store

_HOMES = {
    "api": "agent current_session current_turn environment handoff model_call note session tool turn",
    "asynchronous": "AsyncSessionManager BlockingStore",
    "autoinstrument": "instrument uninstrument",
    "errors": "InvalidIdError MissingExtraError SessionNotFoundError SettingsError StoreError StoreUnavailableError"
    " TurnspanError UnreadableSessionError",
    "events": "Usage",
    "logs": "TurnFilter add_turn add_turn_to_loguru",
    "manager": "SessionManager",
    "observed": "observe",
    "process": "configure flush shutdown",
    "proof": "verify",
    "records": "AgentTransitionRecord SessionId SessionRecord ToolCallRecord TurnRecord WorkspaceId",
    "settings": "Settings",
    "stores": "FileSessionStore InMemorySessionStore SessionStore SqlSessionStore open_store",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = sorted(_HOME_OF)  # noqa: PLE0605  a test sees that each can be imported


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'turnspan' has no attribute {name!r}")
    value = getattr(import_module(f"turnspan.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
