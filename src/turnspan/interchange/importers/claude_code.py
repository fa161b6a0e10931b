"""Claude Code's transcripts: a line of JSON for each piece of a message, a file for each session and for each sub-agent.

One answer of the model stands on several lines, one for each block of its content, all with its id and its usage so far.
Lines are only ever added: after a compaction comes a summary, after a rewind a branch, and both go on from an earlier line,
their ``parentUuid``. A session that is resumed or forked may begin with a copy of the other's lines, under the same uuids:
what a file copied belongs to the session that it came from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from turnspan.adapter.notes import APPROVAL_DENIED
from turnspan.interchange.importers.files import Unreadable
from turnspan.interchange.importers.transcripts import USER_MESSAGE, Account, Transcript, said, sessions_of
from turnspan.interchange.importers.turns import seconds_as_iso
from turnspan.interchange.joining.turns import COMPACTED, INTERRUPTED, REWOUND, tool_call
from turnspan.model.records import SessionRecord, from_iso

PATTERNS = ("*.jsonl",)
HOME, HOME_VARIABLE = "~/.claude/projects", "CLAUDE_CONFIG_DIR"
_AGENT = "claude"
_UNKNOWN = "?"
"""The name of a tool whose call is not in the transcript any more; any other source knows better."""
_INTERRUPTED = "[Request interrupted by user"
_DENIED = "The user doesn't want to proceed with this tool use"


def sessions(path: Path) -> Iterator[SessionRecord | Unreadable]:
    """Yield the sessions of a file, or of a folder and those below it."""
    return sessions_of(path, PATTERNS, reader())


def reader() -> Callable[[Path], Transcript]:
    """Return what reads a file; all files that it reads know of each other."""
    shared = _Shared()
    return lambda file: _Transcript(file, shared)


class _Shared:
    """What transcripts know of each other: whose a line was first, and which turns a session has."""

    def __init__(self) -> None:
        self._owners: dict[str, str] = {}
        self._roots: dict[str, str] = {}
        self.turns: dict[str, str] = {}
        """The turn that each line is of, by its uuid: a transcript that was cut goes on from a line that is gone."""
        self.calls: dict[str, tuple[str, dict[str, Any]]] = {}
        """The calls of tools, with the turns that they are of, for the same reason."""
        self.agents: dict[str, str] = {}
        """The turn that each sub-agent was started in."""

    def root(self, session_id: str, parent: str) -> str:
        """Return the first ancestor of a session that goes on from another."""
        return self._roots.setdefault(session_id, self._roots.get(parent, parent))

    def owner(self, entry: dict[str, Any], session_id: str) -> str:
        """Return the session that a line is of."""
        fork = entry.get("forkedFrom")
        if isinstance(fork, dict) and fork.get("sessionId"):
            session_id = str(fork["sessionId"])
        return self._owners.setdefault(str(entry["uuid"]), session_id) if entry.get("uuid") else session_id


class _Transcript:
    """Reads one transcript."""

    def __init__(self, file: Path, shared: _Shared) -> None:
        self._file, self._shared = file, shared
        self._of_agent = file.stem.startswith("agent-")
        self._own = file.stem
        self._accounts: dict[str, Account] = {}
        self._texts: dict[str, list[str]] = {}
        self._known: set[str] = set()
        self._last: str | None = None
        self._before = 0

    def feed(self, entry: dict[str, Any]) -> None:
        """Take a line."""
        if self._of_agent and entry.get("sessionId"):
            self._own = str(entry["sessionId"])
        owner = self._shared.owner(entry, self._own)
        account = self._account(owner)
        if owner != self._own:
            own = self._account(self._own)
            own.parent, own.root = owner, self._shared.root(self._own, owner)
            if "forkedFrom" not in entry:  # it is read where it came from
                return
        if cwd := entry.get("cwd"):
            account.metadata["cwd"] = cwd
        at = seconds_as_iso(entry.get("timestamp"))
        if entry.get("isSidechain"):
            self._of_sub_agent(account, entry, at)
        elif entry.get("type") == "user" and not entry.get("isMeta"):
            self._user(account, entry, at)
        elif entry.get("type") == "assistant":
            self._assistant(account, entry, at, self._current(account, entry, at))
        elif entry.get("type") == "system" and entry.get("subtype") == "compact_boundary":
            self._compacted(account, entry, at)
        elif isinstance(queued := entry.get("attachment"), dict) and queued.get("type") == "queued_command":
            account.turn(self._current(account, entry, at)).note(USER_MESSAGE, {"text": said(queued.get("prompt"))}, at)
        if entry.get("uuid"):
            self._known.add(entry["uuid"])
            if not entry.get("isSidechain"):
                self._last = entry["uuid"]
                if account.current is not None:
                    self._shared.turns[entry["uuid"]] = account.current

    def take(self) -> list[SessionRecord]:
        """Return what has come since the last time."""
        return [session for account in self._accounts.values() for session in account.take()]

    def _account(self, session_id: str) -> Account:
        account = self._accounts.get(session_id)
        if account is None:
            account = self._accounts[session_id] = Account(session_id, _AGENT, self._shared.calls)
            folder = self._file.parent.parent.parent if self._file.parent.name == "subagents" else self._file.parent
            account.workspace_id = folder.name or None
        return account

    def _current(self, account: Account, entry: dict[str, Any], at: str) -> str:
        """Return the turn that is going on; one without a prompt where nothing says which it is."""
        if account.current is None:
            known = self._shared.turns.get(str(entry.get("parentUuid")))
            account.begin(str(entry.get("promptId") or known or f"{entry.get('uuid')}:begin"), "", at)
        return str(account.current)

    # What the user said ------------------------------------------------------------------------------------------

    def _user(self, account: Account, entry: dict[str, Any], at: str) -> None:
        content = entry["message"].get("content")
        blocks = [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []
        results = [block for block in blocks if block.get("type") == "tool_result"]
        text = said(content if isinstance(content, str) else [b for b in blocks if b not in results])
        for block in results:
            self._result(account, block, at, self._current(account, entry, at))
            self._agent_of(account, block, entry.get("toolUseResult"), at)
        if entry.get("isCompactSummary"):
            data = {"tokens_before": self._before, "summary": text}
            account.turn(self._current(account, entry, at)).note(COMPACTED, data, at)
        elif text.startswith(_INTERRUPTED):
            account.turn(self._current(account, entry, at)).note(INTERRUPTED, {"by": "user"}, at)
        elif text:
            self._prompt(account, entry, text, at)

    def _prompt(self, account: Account, entry: dict[str, Any], text: str, at: str) -> None:
        turn_id = str(entry.get("promptId") or entry.get("uuid") or f"{account.session_id}:{at}")
        turn = account.begin(turn_id, text, at, source_ids=[entry.get("uuid")])
        parent = entry.get("parentUuid")
        if parent and self._last and parent != self._last and parent in self._known:
            turn.note(REWOUND, {"to": parent}, at)

    def _result(self, account: Account, block: dict[str, Any], at: str, current: str) -> None:
        call_id, text = str(block.get("tool_use_id")), said(block.get("content"))
        turn_id, call = account.call_of(call_id) or (current, tool_call(call_id, _UNKNOWN))
        denied = text.startswith(_DENIED)
        status = "skipped" if denied else "error" if block.get("is_error") else "success"
        error = "denied by the user" if denied else text or "it failed" if status == "error" else None
        began, ended = from_iso(call["metadata"]["turnspan"].get("started_at")), from_iso(at)
        turn = account.turn(turn_id)
        took = {"duration_ms": (ended - began) / 1e6} if began and ended and not denied else {}
        turn.tool({**call, "result": None if denied else text, "status": status, "error": error, **took})
        turn.lasted(at)
        if denied:
            turn.note(APPROVAL_DENIED, {"tool_name": call["tool_name"], "call_id": call_id, "by": "user"}, at)

    def _agent_of(self, account: Account, block: dict[str, Any], result: Any, at: str) -> None:
        """Note which agent a call has started."""
        found = account.call_of(str(block.get("tool_use_id")))
        if found is not None and isinstance(result, dict) and result.get("agentId"):
            turn_id, call = found
            began = call["metadata"]["turnspan"].get("started_at") or at
            self._shared.agents.setdefault(str(result["agentId"]), turn_id)
            entry = {"call_id": str(result["agentId"]), "parent_id": call["call_id"], "started_at": began}
            name = call["arguments"].get("subagent_type")
            account.turn(turn_id).agent(entry | {"status": "success"} | ({"agent_id": str(name)} if name else {}))

    def _compacted(self, account: Account, entry: dict[str, Any], at: str) -> None:
        given = entry.get("compactMetadata")
        given = given if isinstance(given, dict) else {}
        self._before = int(given.get("preTokens") or 0)
        data = {"trigger": given.get("trigger"), "tokens_before": self._before, "tokens_after": given.get("postTokens")}
        known = {name: value for name, value in data.items() if value is not None}
        account.turn(self._current(account, entry, at)).note(COMPACTED, known, at)

    # What the model said -----------------------------------------------------------------------------------------

    def _assistant(
        self, account: Account, entry: dict[str, Any], at: str, turn_id: str, agent: str | None = None
    ) -> None:
        message = entry["message"]
        content = message.get("content")
        blocks = [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []
        turn = account.turn(turn_id)
        inside = {"parent_id": agent} if agent else {}
        call = {**_call(entry, message), **inside, "started_at": at}
        if text := said(content if isinstance(content, str) else [b for b in blocks if b.get("type") == "text"]):
            texts = self._texts.setdefault(call["call_id"], [])
            if text not in texts:
                texts.append(text)
            call["output"] = "\n".join(texts)
        if entry.get("isApiErrorMessage"):
            call = {key: value for key, value in call.items() if key not in ("output", "usage", "model")}
            call |= {"status": "error", "error": text}
        turn.model({key: value for key, value in call.items() if value})
        turn.lasted(at)
        for block in blocks:
            if block.get("type") == "tool_use":
                given = block.get("input")
                arguments = given if isinstance(given, dict) else {"input": given}
                made = tool_call(str(block["id"]), str(block["name"]), arguments=arguments, started_at=at, **inside)
                account.called(turn_id, made)

    def _of_sub_agent(self, account: Account, entry: dict[str, Any], at: str) -> None:
        """Take a line of a sub-agent: its calls are in the turn that it was started in."""
        agent = str(entry.get("agentId") or "sidechain")
        turn_id = self._turn_of_agent(account, entry, agent, at)
        turn = account.turn(turn_id)
        content = (entry.get("message") or {}).get("content")
        if entry.get("type") == "assistant":
            self._assistant(account, entry, at, turn_id, agent)
            turn.agent({"call_id": agent, "status": "success", "started_at": at})
        elif entry.get("type") == "user" and not entry.get("isMeta"):
            blocks = content if isinstance(content, list) else []
            results = [one for one in blocks if isinstance(one, dict) and one.get("type") == "tool_result"]
            for block in results:
                self._result(account, block, at, turn_id)
            if text := "" if results else said(content):
                asked = {"call_id": agent, "description": text, "status": "success"}
                turn.agent(asked | {"started_at": at})

    def _turn_of_agent(self, account: Account, entry: dict[str, Any], agent: str, at: str) -> str:
        agents = self._shared.agents
        if entry.get("promptId"):
            agents[agent] = str(entry["promptId"])
        elif agent not in agents and not self._of_agent:
            agents[agent] = self._current(account, entry, at)
        return agents.get(agent, f"agent:{agent}")  # which is joined with its turn once a call says which that is


def _call(entry: dict[str, Any], message: dict[str, Any]) -> dict[str, Any]:
    request_id, message_id = entry.get("requestId"), message.get("id")
    return {
        "call_id": str(request_id or message_id or entry.get("uuid") or entry.get("timestamp")),
        "request_id": request_id,
        "response_id": message_id,
        "provider": "anthropic",
        "model": message.get("model"),
        "status": "success",
        "finish_reasons": [message["stop_reason"]] if message.get("stop_reason") else [],
        "usage": _usage(message.get("usage") or {}),
    }


def _usage(used: dict[str, Any]) -> dict[str, int]:
    """Return the tokens, where those of a cache count as input, too."""
    read, written = used.get("cache_read_input_tokens") or 0, used.get("cache_creation_input_tokens") or 0
    found = {
        "input_tokens": (used.get("input_tokens") or 0) + read + written,
        "output_tokens": used.get("output_tokens") or 0,
        "cache_read_tokens": read,
        "cache_write_tokens": written,
    }
    return {name: count for name, count in found.items() if count}
