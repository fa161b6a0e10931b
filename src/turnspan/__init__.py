"""See what AI agents did, and prove it: sessions, spans and logs, tied together by audit event ids.

Names are imported when they are first used, so that ``import turnspan``, and a program that ``turnspan run`` starts,
pay only for what they touch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from turnspan._version import __version__ as __version__
    from turnspan.analysis.comparison import Comparison as Comparison
    from turnspan.analysis.provenance import Explanation as Explanation
    from turnspan.api.handwritten import agent as agent
    from turnspan.api.handwritten import current_session as current_session
    from turnspan.api.handwritten import current_turn as current_turn
    from turnspan.api.handwritten import environment as environment
    from turnspan.api.handwritten import handoff as handoff
    from turnspan.api.handwritten import model_call as model_call
    from turnspan.api.handwritten import note as note
    from turnspan.api.handwritten import session as session
    from turnspan.api.handwritten import tool as tool
    from turnspan.api.handwritten import turn as turn
    from turnspan.api.observe import observe as observe
    from turnspan.api.reading import diff as diff
    from turnspan.api.reading import get as get
    from turnspan.api.reading import sessions as sessions
    from turnspan.api.reading import why as why
    from turnspan.errors import AdapterError as AdapterError
    from turnspan.errors import BlockInGeneratorError as BlockInGeneratorError
    from turnspan.errors import DeliveryError as DeliveryError
    from turnspan.errors import EvidenceError as EvidenceError
    from turnspan.errors import IdNotFoundError as IdNotFoundError
    from turnspan.errors import InvalidIdError as InvalidIdError
    from turnspan.errors import MissingExtraError as MissingExtraError
    from turnspan.errors import NothingRecordedError as NothingRecordedError
    from turnspan.errors import SessionNotFoundError as SessionNotFoundError
    from turnspan.errors import SettingsError as SettingsError
    from turnspan.errors import StoreError as StoreError
    from turnspan.errors import StoreUnavailableError as StoreUnavailableError
    from turnspan.errors import TurnspanError as TurnspanError
    from turnspan.errors import UnreadableSessionError as UnreadableSessionError
    from turnspan.events import Usage as Usage
    from turnspan.instrumentation.zero_code import instrument as instrument
    from turnspan.instrumentation.zero_code import uninstrument as uninstrument
    from turnspan.model.records import AgentTransitionRecord as AgentTransitionRecord
    from turnspan.model.records import SessionId as SessionId
    from turnspan.model.records import SessionRecord as SessionRecord
    from turnspan.model.records import ToolCallRecord as ToolCallRecord
    from turnspan.model.records import TurnRecord as TurnRecord
    from turnspan.model.records import WorkspaceId as WorkspaceId
    from turnspan.reading.async_manager import AsyncSessionManager as AsyncSessionManager
    from turnspan.recording.runtime import configure as configure
    from turnspan.recording.runtime import flush as flush
    from turnspan.recording.runtime import shutdown as shutdown
    from turnspan.settings import Settings as Settings
    from turnspan.stores import FileSessionStore as FileSessionStore
    from turnspan.stores import InMemorySessionStore as InMemorySessionStore
    from turnspan.stores import SessionStore as SessionStore
    from turnspan.stores import SqlSessionStore as SqlSessionStore
    from turnspan.stores import open_store as open_store
    from turnspan.stores.base import SessionFilter as SessionFilter
    from turnspan.stores.base import SessionSummary as SessionSummary
    from turnspan.stores.blocking import BlockingStore as BlockingStore
    from turnspan.stores.manager import SessionManager as SessionManager
    from turnspan.telemetry.log_stamps import TurnFilter as TurnFilter
    from turnspan.telemetry.log_stamps import add_turn as add_turn
    from turnspan.telemetry.log_stamps import add_turn_to_loguru as add_turn_to_loguru
    from turnspan.verification import Finding as Finding
    from turnspan.verification import Report as Report
    from turnspan.verification import verify as verify

_HOMES = {
    "_version": "__version__",
    "analysis.comparison": "Comparison",
    "analysis.provenance": "Explanation",
    "api.handwritten": "agent current_session current_turn environment handoff model_call note session tool turn",
    "api.observe": "observe",
    "api.reading": "diff get sessions why",
    "errors": "AdapterError BlockInGeneratorError DeliveryError EvidenceError IdNotFoundError InvalidIdError MissingExtraError"
    " NothingRecordedError SessionNotFoundError SettingsError StoreError StoreUnavailableError TurnspanError UnreadableSessionError",
    "events": "Usage",
    "instrumentation.zero_code": "instrument uninstrument",
    "model.records": "AgentTransitionRecord SessionId SessionRecord ToolCallRecord TurnRecord WorkspaceId",
    "reading.async_manager": "AsyncSessionManager",
    "recording.runtime": "configure flush shutdown",
    "settings": "Settings",
    "stores": "FileSessionStore InMemorySessionStore SessionStore SqlSessionStore open_store",
    "stores.base": "SessionFilter SessionSummary",
    "stores.blocking": "BlockingStore",
    "stores.manager": "SessionManager",
    "telemetry.log_stamps": "TurnFilter add_turn add_turn_to_loguru",
    "verification": "Finding Report verify",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = sorted(_HOME_OF.keys() - {"__version__"})  # noqa: PLE0605  a test sees that each can be imported


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'turnspan' has no attribute {name!r}")
    value = getattr(import_module(f"turnspan.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
