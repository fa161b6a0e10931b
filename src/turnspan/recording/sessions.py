"""Sessions: what this process remembers of the sessions that it has met."""

from __future__ import annotations

from turnspan.events import SessionStarted
from turnspan.model.newest import Newest
from turnspan.model.records import OURS, turnspan_metadata

SESSIONS_REMEMBERED = 4096


class _SessionState:
    __slots__ = ("described", "root_id", "workspace_id")

    def __init__(self, workspace_id: str | None, root_id: str) -> None:
        self.workspace_id = workspace_id
        self.root_id = root_id
        self.described = False  # its first turn in this process says which process that is


class Sessions:
    """The sessions that this process has met, the newest few thousand of them.

    Args:
        default_workspace_id: The workspace of sessions that name none.

    """

    def __init__(self, default_workspace_id: str = "") -> None:
        self.default_workspace_id = default_workspace_id
        self._states: Newest[str, _SessionState] = Newest(SESSIONS_REMEMBERED)

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._states

    def __len__(self) -> int:
        return len(self._states)

    def meet(self, event: SessionStarted) -> bool:
        """Take the start of a session, and return whether it says anything new: it is the first, or has metadata."""
        session_id = event.session_id
        if session_id in self._states:
            self._states.move_to_end(session_id)
            return any(key != OURS for key in event.metadata)
        workspace_id = event.workspace_id or self.default_workspace_id or None
        root_id = turnspan_metadata(event.metadata).get("root_session_id")
        self._states.remember(session_id, _SessionState(workspace_id, root_id or session_id))
        return True

    def forget(self, session_id: str) -> None:
        """Forget a session that has ended."""
        self._states.pop(session_id, None)

    def wants_resource(self, session_id: str) -> bool:
        """Return whether this is the session's first turn in this process; it then says which process that is."""
        state = self._states.get(session_id)
        if state is None or state.described:
            return False
        state.described = True
        return True

    def workspace_of(self, session_id: str) -> str | None:
        """Return the workspace of a session."""
        state = self._states.get(session_id)
        return None if state is None else state.workspace_id

    def root_of(self, session_id: str) -> str:
        """Return the root of a session's parents; itself, as far as this process knows."""
        state = self._states.get(session_id)
        return session_id if state is None else state.root_id

    def after_fork(self) -> None:
        """Have the next turn of each session say which process this is."""
        for state in self._states.values():
            state.described = False
