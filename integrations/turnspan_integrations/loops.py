"""Handwritten loops: turns and tool calls, read off the message list that a program sends to a model again and again.

A model client knows no sessions, no turns and no tools: a program calls it with a list of messages, runs the tools that
the answer asks for, appends what they returned, and calls it again. What is new in each list is what happened since.
A list that begins with what was said before goes on with that conversation. A new message of the user begins a turn, a
result ends a tool call, an answer that asks for no tool ends the turn.

The adapters of the clients (``openai``, ``anthropic``) translate their messages into :class:`Said`; the rest is here.
It is over 200 lines because seven clients have no sessions, turns and tools of their own, and all that stands for them
is here, once.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, Literal, NamedTuple

from turnspan.adapter import NOT_OBSERVED, Emit, ModelCall, Outcome, ResolvedSession, Run, ToolCall
from turnspan.events import ModelCallStarted, Usage

_POINTS_REMEMBERED = 4096
_CONVERSATIONS_OPEN = 1024
_ALIKE_REMEMBERED = 32
_BACKGROUND_OPEN = 1024


Kind = Literal["system", "user", "assistant", "call", "result", "hosted", "approval", "approved", "denied"]
"""``hosted`` is a tool that ran at the provider, with its result; ``approval`` asks for consent to a call."""
_SPOKEN = ("user", "assistant", "call", "result")
"""What distinguishes one conversation from another; the rest is not always sent back as it came."""


class Said(NamedTuple):
    """One thing that was said: the smallest piece of a message."""

    kind: Kind
    text: Any = None
    call_id: str | None = None
    name: str | None = None
    arguments: Any = None
    failed: bool = False


class Message(NamedTuple):
    """A message as the client has it, made plain, and what is said in it."""

    plain: Any
    said: list[Said]


class Request(NamedTuple):
    """A call of a model. ``own`` is the conversation's id and ``previous`` the answer that it goes on from, if given."""

    provider: str
    model: str | None
    messages: list[Message]
    streamed: bool = False
    own: str | None = None
    previous: str | None = None
    list_id: int = 0
    """Which list the messages came in: ``id(messages)``."""
    forced: str | None = None
    """The tool that the model must call: this is how structured output is asked for, and its arguments are the answer."""


class Answer(NamedTuple):
    """What a model answered. ``final`` is false when the program is to go on with the turn."""

    output: list[Any]
    said: list[Said]
    final: bool
    model: str | None = None
    response_id: str | None = None
    usage: Usage | None = None
    finish_reasons: Sequence[str] = ()
    outcome: Outcome = Outcome()
    """What the provider says of the call itself: that it failed, or was cancelled there."""

    @property
    def text(self) -> str | None:
        """What the model said to whoever asked; None where it said nothing."""
        return "".join(_text(one.text) for one in self.said if one.kind == "assistant") or None


class Conversation:
    """A session as far as the loop shows it: its turn, and the tools that were asked for and have not answered."""

    def __init__(self, session: ResolvedSession) -> None:
        self.session = session
        self.turn: Run | None = None
        self.pending: dict[str, ToolCall] = {}
        self.approvals: dict[str, Said] = {}
        self.structured: dict[str, Said] = {}  # calls that were the answer; the program may still run them
        self.unwatch: Callable[[], Any] | None = None
        self.list_id = 0


_last: ContextVar[Conversation | None] = ContextVar("turnspan_last_conversation", default=None)
"""The conversation that this task or thread has last had an answer in."""


class Loops:
    """The conversations that a client's calls belong to.

    Args:
        emit: Takes the events.

    """

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._points: OrderedDict[str, list[Conversation]] = OrderedDict()  # where one may be gone on with
        self._open: OrderedDict[Conversation, None] = OrderedDict()  # those in the middle of a turn
        self._lock = threading.RLock()
        self._ours: set[str] = set()
        self._background: OrderedDict[str, Asking] = OrderedDict()  # by the id that the answer is fetched with

    def ask(self, request: Request, span: Any = None) -> Asking | None:
        """Say that a model is asked; None where somebody else says it: a framework that calls this client.

        Args:
            request: What it is asked.
            span: ``SPAN_EXPECTED`` where the client starts a span for the call itself.

        """
        if (run := self._emit.current_run()) is not None:
            if any(call_id not in self._ours for call_id in self._emit.open_model_calls()):
                return None
            history = max((n for n, m in enumerate(request.messages, 1) if _is_answer(m)), default=0)
            return Asking(self, request, None, run, history, "", span)
        with self._lock:
            return self._go_on(request, span)

    def _go_on(self, request: Request, span: Any) -> Asking:
        now_ns = time.time_ns()
        said = [one for message in request.messages for one in message.said if one.kind in _SPOKEN]
        points = list(_points(said, request.previous or ""))
        found, known = self._find(said, points, request)
        new = said[known:]
        here = self._emit.current()
        if found is not None and here is not None and here.session_id != found.session.id:
            found = None
        if found is None:
            found = Conversation(self._emit.session(request.own or None))
        results = [one for one in new if one.kind == "result"]
        for one in results:
            if (call := _take_pending(found, one)) is not None:
                _tool_ended(call, one, now_ns)
        prompts = [one.text for one in new if one.kind == "user"]
        if found.turn is None or (prompts and not results):  # text beside results is a word on them
            self._end(found, Outcome(error="the program went on without an answer", cancelled=True))
            prompt = prompts[-1] if prompts else next((s.text for s in reversed(said) if s.kind == "user"), "")
            found.turn = self._emit.begin(prompt=prompt, session=found.session)
        for one in results:
            if (answer := found.structured.pop(str(one.call_id), None)) is not None:
                found.turn.tool_ran(answer.name or "unknown", answer.arguments, one.text, call_id=answer.call_id)
        for message in request.messages:
            _approvals_decided(found, found.turn, message.said)
        self._open[found] = None
        self._open.move_to_end(found)
        while len(self._open) > _CONVERSATIONS_OPEN:
            self._end(next(iter(self._open)), Outcome(error="never gone on with", cancelled=True))
        history = _messages_within(request.messages, known)
        return Asking(self, request, found, found.turn, history, points[-1] if points else "", span)

    def _find(self, said: list[Said], points: list[str], request: Request) -> tuple[Conversation | None, int]:
        """Return the conversation that this one goes on with, and how much of what is said was said before."""
        if request.own is not None:
            known = next((n for n in range(len(points), 0, -1) if points[n - 1] in self._points), 0)
            return self._at(f"own {request.own}", request), known or _before_the_new(said)
        for n in range(len(points), 0, -1):
            if points[n - 1] in self._points:
                return self._at(points[n - 1], request), n
        if request.previous is not None:
            return self._at(f"previous {request.previous}", request), 0
        results = {str(one.call_id) for one in said if one.kind == "result"}  # a history that was cut or rewritten
        results |= {str(s.call_id) for m in request.messages for s in m.said if s.kind in ("approved", "denied")}
        asked = [one for one in self._open if results & (one.pending.keys() | one.approvals.keys())]
        return (asked[0], _before_the_new(said)) if len(asked) == 1 else (None, 0)

    def _at(self, point: str, request: Request) -> Conversation | None:
        """Return the conversation that has come to a point.

        Several may have: two users who greet alike are answered alike. Then the one whose list it is goes on, or the one
        that this task had its last answer in; if that does not decide it, none is taken, because mixing them up is worse.
        """
        found = self._points.get(point, [])
        if len(found) < 2:
            return found[0] if found else None
        mine = [one for one in found if one.list_id == request.list_id]
        if len(mine) != 1:  # a list's id is that of another as soon as the list is gone
            mine = [one for one in mine or found if one is _last.get()]
        return mine[0] if len(mine) == 1 else None

    def _end(self, found: Conversation, outcome: Outcome, response: Any = None) -> None:
        turn, found.turn = found.turn, None
        self._open.pop(found, None)
        if found.unwatch is not None:
            found.unwatch()
            found.unwatch = None
        if turn is None:
            return
        for call in found.pending.values():
            call.ended(Outcome.skipped("never answered"))
        found.pending.clear()
        found.approvals.clear()
        turn.end(outcome, response)

    def _remember(self, point: str, found: Conversation) -> None:
        known = self._points.setdefault(point, [])
        if found not in known:
            known.append(found)
            del known[:-_ALIKE_REMEMBERED]
        self._points.move_to_end(point)
        while len(self._points) > _POINTS_REMEMBERED:
            self._points.popitem(last=False)

    # What a request shows --------------------------------------------------------------------------------------------

    def began(self, call_id: str) -> None:
        """Note a model call that this loop reports."""
        self._ours.add(call_id)

    def finished(self, call_id: str) -> None:
        """Take note of its end."""
        self._ours.discard(call_id)

    def answered(self, asking: Asking, answer: Answer) -> None:
        """Take what an answer means for the conversation: tools that run now, or the end of the turn."""
        found = asking.conversation
        record_hosted(asking.run, answer.said)
        if found is None:
            return
        with self._lock:
            spoken = [one for one in answer.said if one.kind in _SPOKEN]
            *_, point = _points(spoken, asking.point) if spoken else [asking.point]
            self._remember(point, found)
            if answer.response_id:
                self._remember(f"previous {answer.response_id}", found)
            found.list_id = asking.request.list_id
            _last.set(found)
            if asking.request.own is not None:
                self._remember(f"own {asking.request.own}", found)
            if found.turn is not asking.run:
                return  # went on without this answer
            if (structured := _structured(asking.request, answer)) is not None:
                found.structured = {str(structured.call_id): structured}
                self._end(found, Outcome(), _text(structured.arguments))
                return
            for one in answer.said:
                if one.kind == "call" and not answer.final:
                    call = asking.run.tool_started(one.name or "unknown", one.arguments, one.call_id)
                    found.pending[call.call_id] = call
                elif one.kind == "approval":
                    asking.run.approval_asked(one.name or "unknown", one.call_id, arguments=one.arguments)
                    found.approvals[str(one.call_id)] = one
            if answer.final:
                self._end(found, Outcome(), answer.text or "")
            else:
                self._end_with_its_task(found)

    def failed(self, asking: Asking, outcome: Outcome, response: str | None = None) -> None:
        """End the turn of a call that failed; the same list, sent again, goes on with its session."""
        if (found := asking.conversation) is not None:
            with self._lock:
                self._remember(asking.point, found)
                if found.turn is asking.run:
                    self._end(found, outcome, response)

    def left(self, messages: Sequence[Message], outcome: Outcome) -> None:
        """Take the results that no request carries any more, and end their turn: the loop has stopped asking.

        Args:
            messages: What was said up to here.
            outcome: How the loop stopped.

        """
        said = [one for message in messages for one in message.said]
        results = {str(one.call_id): one for one in said if one.kind == "result"}
        with self._lock:
            for found in [one for one in self._open if results.keys() & one.pending.keys()]:
                for call_id in results.keys() & found.pending.keys():
                    _tool_ended(found.pending.pop(call_id), results[call_id], time.time_ns())
                self._end(found, outcome._replace(result=None))

    def waits(self, asking: Asking, response_id: str) -> None:
        """Take note of an answer that is fetched later: the call stays open, and the conversation is known by it."""
        if asking.conversation is not None:
            with self._lock:
                self._remember(f"previous {response_id}", asking.conversation)
        self._background[response_id] = asking
        if len(self._background) > _BACKGROUND_OPEN:
            self._background.popitem(last=False)

    def waiting(self, response_id: str) -> Asking | None:
        """Return the call whose answer is fetched by this id."""
        return self._background.get(response_id)

    def _end_with_its_task(self, found: Conversation) -> None:
        """Have a turn end with the task that runs its tools, when that is cancelled or fails."""
        try:
            task = asyncio.current_task()
        except RuntimeError:
            return
        if task is None or found.unwatch is not None:
            return

        def done(task: asyncio.Task[Any]) -> None:
            error = None if task.cancelled() else task.exception()
            if error is None and not task.cancelled():
                return
            outcome = Outcome(error=error, cancelled=task.cancelled())
            with self._lock:
                for call in found.pending.values():
                    call.ended(outcome)
                found.pending.clear()
                self._end(found, outcome)

        guarded = self._emit.patch.guard(done)
        task.add_done_callback(guarded)
        found.unwatch = lambda: task.remove_done_callback(guarded)


class Asking:
    """A model call while it runs; it ends once."""

    def __init__(
        self,
        loops: Loops,
        request: Request,
        conversation: Conversation | None,
        run: Run,
        history: int,
        point: str,
        span: Any,
    ) -> None:
        self.request, self.conversation, self.run, self.point = request, conversation, run, point
        self._loops = loops
        self.call: ModelCall = run.model_started(
            provider=request.provider,
            model=request.model,
            messages=[m.plain for m in request.messages[history:]],
            history=history,
            streamed=request.streamed,
            span=span,
        )
        loops.began(self.call.call_id)

    @property
    def started(self) -> ModelCallStarted:
        """The event that it began with."""
        return self.call.started

    def not_observed(self, outcome: Outcome | None = None) -> None:
        """End it, and its turn, because we failed to see how it ended."""
        self.failed(NOT_OBSERVED if outcome is None or outcome.status == "success" else outcome)

    def answered(self, answer: Answer) -> None:
        """Say what was answered; the provider may have said that it failed."""
        if self._ends():
            self._call_ended(answer.outcome, answer)
            if answer.outcome.status == "success":
                self._loops.answered(self, answer)
            else:
                self._loops.failed(self, answer.outcome, answer.text)

    def failed(self, outcome: Outcome, answer: Answer | None = None) -> None:
        """Say that no whole answer came, and what came of it: an error, or a stream that was left early."""
        outcome = outcome._replace(result=None)
        if self._ends():
            self._call_ended(outcome, answer or Answer([], [], final=True))
            self._loops.failed(self, outcome, None if answer is None else answer.text)

    def _call_ended(self, outcome: Outcome, answer: Answer) -> None:
        self.call.ended(
            outcome,
            answer.output or None if outcome.status != "success" else answer.output,
            response_model=answer.model,
            response_id=answer.response_id,
            usage=answer.usage,
            finish_reasons=answer.finish_reasons,
        )

    def _ends(self) -> bool:
        self._loops.finished(self.call.call_id)
        return self.call.is_open


# Points --------------------------------------------------------------------------------------------------------------


def _points(said: list[Said], start: str) -> Iterator[str]:
    """Yield a name for each point of a conversation: everything that was said up to there."""
    before = start
    for kind, text, call_id, name, arguments, _ in said:
        if kind == "call":
            with suppress(TypeError, ValueError):
                arguments = json.loads(arguments)  # noqa: PLW2901  a client may give them back otherwise written
        spoken = json.dumps([kind, text, call_id, name, _without_none(arguments)], sort_keys=True, default=repr)
        before = hashlib.blake2b(f"{before}{spoken}".encode("utf-8", "backslashreplace"), digest_size=16).hexdigest()
        yield before


def _structured(request: Request, answer: Answer) -> Said | None:
    """Return the call that is an answer: the only one, of the tool that the model had to call."""
    calls = [one for one in answer.said if one.kind == "call"]
    return calls[0] if len(calls) == 1 and calls[0].name == request.forced else None


def _take_pending(found: Conversation, result: Said) -> ToolCall | None:
    """Return the call that a result is of; a legacy function has a name and no id."""
    if result.call_id is not None:
        return found.pending.pop(str(result.call_id), None)
    name = next((key for key, call in found.pending.items() if call.name == result.name), None)
    return None if name is None else found.pending.pop(name)


def _approvals_decided(found: Conversation, run: Run, said: list[Said]) -> None:
    """Note the decisions that the program sends along; a call that was denied is on record as refused."""
    for one in said:
        if one.kind in ("approved", "denied") and (asked := found.approvals.pop(str(one.call_id), None)) is not None:
            name, reason = asked.name or "unknown", None if one.text is None else _text(one.text)
            run.approval_decided(name, asked.call_id, approved=one.kind == "approved", reason=reason)
            if one.kind == "denied":
                run.tool_refused(name, asked.arguments, asked.call_id, reason=reason)


def record_hosted(run: Run, said: Iterable[Said]) -> None:
    """Put the calls on record that were made at the provider."""
    for one in said:
        if one.kind == "hosted":
            outcome, name = Outcome.failed(_text(one.text)) if one.failed else Outcome(), one.name or "unknown"
            run.tool_ran(name, one.arguments, one.text, outcome=outcome, call_id=one.call_id, tool_type="extension")


def _tool_ended(call: ToolCall, one: Said, at_ns: int) -> None:
    """End a call with the result that the program gives the model; whether it failed, only some clients say."""
    if one.failed:
        call.ended(Outcome.failed(_text(one.text))._replace(at_ns=at_ns), one.text)
    else:
        call.ended(Outcome(at_ns=at_ns), one.text, metadata={"status_inferred": True})


def _before_the_new(said: list[Said]) -> int:
    """Return where what the program says now begins, after the last answer."""
    return next((n for n in range(len(said), 0, -1) if said[n - 1].kind in ("assistant", "call")), 0)


def _messages_within(messages: list[Message], known: int) -> int:
    """Return how many messages hold the first so many things that were said."""
    if not known:
        return 0
    count = 0
    for n, message in enumerate(messages):
        count += sum(one.kind in _SPOKEN for one in message.said)
        if count > known:
            return n
    return len(messages)


def _is_answer(message: Message) -> bool:
    return any(one.kind in ("assistant", "call", "hosted", "approval") for one in message.said)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, default=repr)


def _without_none(value: Any) -> Any:
    """Return a value without what is None in it: clients send some of that back, and leave out the rest."""
    if isinstance(value, dict):
        return {key: _without_none(one) for key, one in value.items() if one is not None}
    return [_without_none(one) for one in value] if isinstance(value, list) else value
