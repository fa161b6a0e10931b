"""The notes that mean the same on every runtime: approvals, guardrails, rejected arguments, retries, interrupts.

A note is a :class:`~turnspan.events.Noted` event. The methods of :class:`~turnspan.adapter.Run` make these, so that a
reader who asks "who approved the refund?" need not know which runtime the agent is written in. A call that was refused
is on record as a tool call with status ``skipped``, and its error says why; the note says who decided and how.

=====================  =======================================  =========================
name                   what happened                            shape of ``data``
=====================  =======================================  =========================
``approval.asked``     a tool call waits for somebody's consent  :class:`ApprovalAsked`
``approval.approved``  it was given                             :class:`ApprovalDecided`
``approval.denied``    it was refused                           :class:`ApprovalDecided`
``guardrail``          a guardrail has looked                   :class:`Guardrail`
``arguments.rejected`` a tool was called with bad arguments     :class:`ArgumentsRejected`
``retry``              a model or tool is asked again           :class:`Retry`
``interrupt``          the run waits for somebody outside       :class:`Interrupt`
=====================  =======================================  =========================
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

APPROVAL_ASKED = "approval.asked"
APPROVAL_APPROVED = "approval.approved"
APPROVAL_DENIED = "approval.denied"
GUARDRAIL = "guardrail"
ARGUMENTS_REJECTED = "arguments.rejected"
RETRY = "retry"
INTERRUPT = "interrupt"
Stage = Literal["input", "output", "tool_input", "tool_output"]
"""What a guardrail looks at: the run's prompt or answer, a tool's arguments or result."""


class ApprovalAsked(TypedDict):
    """A tool call that is not made until somebody approves. Content: ``arguments``, ``reason``."""

    tool_name: str
    call_id: NotRequired[str]
    arguments: NotRequired[Any]
    reason: NotRequired[str]


class ApprovalDecided(TypedDict):
    """What was decided, and by whom where the runtime knows it; when is the event's time. Content: ``reason``."""

    tool_name: str
    call_id: NotRequired[str]
    by: NotRequired[str]
    reason: NotRequired[str]


class Guardrail(TypedDict):
    """What a guardrail said; ``tripped`` means that it stopped what it looked at. Content: ``verdict``."""

    guardrail: str
    stage: Stage
    tripped: bool
    verdict: NotRequired[Any]
    tool_name: NotRequired[str]
    call_id: NotRequired[str]


class ArgumentsRejected(TypedDict):
    """Arguments that do not fit the tool, so that it never ran. Content: ``arguments``, ``error``."""

    tool_name: str
    error: str
    call_id: NotRequired[str]
    arguments: NotRequired[Any]


class Retry(TypedDict):
    """A model or tool that is asked again. Content: ``error``."""

    of: Literal["model", "tool"]
    attempt: int
    error: NotRequired[str]
    tool_name: NotRequired[str]
    call_id: NotRequired[str]


class Interrupt(TypedDict):
    """A run that stopped to ask somebody outside, and may be resumed with the answer. Content: ``value``."""

    value: Any
    interrupt_id: NotRequired[str]
