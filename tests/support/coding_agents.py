"""What coding agents send, made by hand after their documentation: log records in OTLP's JSON."""

from support.otlp import attribute, request, span

BASE_NS = 1_793_600_000_000_000_000


def at_ns(seconds):
    """Return a moment, in seconds after the first one."""
    return BASE_NS + int(seconds * 1e9)


def log(name, seconds, body="", **attributes):
    """Return a log record."""
    return {
        "timeUnixNano": str(at_ns(seconds)),
        "observedTimeUnixNano": str(at_ns(seconds)),
        "body": {"stringValue": body},
        "attributes": [attribute(key, value) for key, value in {"event.name": name, **attributes}.items()],
    }


def logs(*records, scope, service):
    """Return a request with log records."""
    resource = {"attributes": [attribute("service.name", service)]}
    scoped = {"scope": {"name": scope}, "logRecords": list(records)}
    return {"resourceLogs": [{"resource": resource, "scopeLogs": [scoped]}]}


class ClaudeCode:
    """A session of Claude Code: each method returns a log record, with the attributes that all of them have."""

    def __init__(self, session="5c0f1a8e-1f0e-4a55-9b39-0d5a2b3f1c11"):
        self.session, self.sequence, self.prompt_id = session, 0, None

    def __call__(self, name, seconds, **own):
        """Return an event; Claude Code names it without its prefix in ``event.name``, and with it in the body."""
        self.sequence += 1
        standard = {
            "session.id": self.session,
            "app.version": "2.1.220",
            "user.id": "f3a1",
            "terminal.type": "vscode",
            "event.sequence": self.sequence,
        }
        if self.prompt_id is not None:
            standard["prompt.id"] = self.prompt_id
        return log(name, seconds, f"claude_code.{name}", **standard, **own) | {
            "traceId": f"{7:032x}",
            "spanId": f"{9:016x}",
        }

    def prompt(self, seconds, prompt_id, text="<REDACTED>", **own):
        """Return a prompt: all that follows is of it."""
        self.prompt_id = prompt_id
        return self("user_prompt", seconds, prompt=text, prompt_length=str(len(text)), **own)

    def api_request(self, seconds, request_id, used=(3, 40, 2000, 100), **own):
        """Return a request to the API that was answered."""
        names = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_creation_tokens")
        tokens = {name: str(count) for name, count in zip(names, used, strict=True)}
        more = {"model": "claude-sonnet-5", "cost_usd": "0.0125", "duration_ms": "1500", "speed": "normal"}
        return self(
            "api_request", seconds, request_id=request_id, **{"query_source": "repl_main_thread"} | more | tokens | own
        )

    def decision(self, seconds, call_id, tool="Bash", decision="accept", source="user_temporary", **own):
        """Return a decision about a tool call."""
        ids = {"tool_name": tool, "tool_use_id": call_id}
        return self("tool_decision", seconds, **ids, decision=decision, source=source, **own)

    def result(self, seconds, call_id, tool="Bash", success="true", source="user_temporary", **own):
        """Return what became of a tool call."""
        ids = {"tool_name": tool, "tool_use_id": call_id, "decision_type": "accept", "decision_source": source}
        return self("tool_result", seconds, **ids, success=success, duration_ms="800", **own)

    @staticmethod
    def request(*records):
        """Return a request with log records."""
        return logs(*records, scope="com.anthropic.claude_code.events", service="claude-code")


def beta_spans(session="5c0f1a8e-1f0e-4a55-9b39-0d5a2b3f1c11"):
    """Return a request with what the spans of :func:`a_session` know besides."""

    def made(number, name, seconds, **attributes):
        ends = {"startTimeUnixNano": str(at_ns(seconds)), "endTimeUnixNano": str(at_ns(seconds + 1))}
        return span(7, number, 9, f"claude_code.{name}", **{"session.id": session, **attributes}) | ends

    output = {"name": "tool.output", "timeUnixNano": str(at_ns(10)), "attributes": [attribute("output", "3 passed")]}
    return request(
        made(9, "interaction", 0.9, user_prompt="<REDACTED>"),
        made(10, "llm_request", 1.5, request_id="req_1", stop_reason="tool_use", ttft_ms=420, query_source="repl_main_thread"),
        made(11, "tool", 9.2, tool_name="Bash", tool_use_id="toolu_1") | {"events": [output]},
        made(12, "llm_request", 11.5, request_id="req_2", agent_id="a1b2", query_source="agent:builtin:Explore"),
        scope="com.anthropic.claude_code.tracing",
        service="claude-code",
    )  # fmt: skip


def a_session():
    """Return the events of a session: a tool that the user allowed, one that a hook let pass and that failed, one denied."""
    code = ClaudeCode()
    command = '{"bash_command":"pytest","full_command":"pytest -q","description":"Run tests"}'
    return [
        code("plugin_loaded", 0, **{"plugin.name": "lint"}),
        code("mcp_server_connection", 0.5, status="connected", transport_type="stdio"),
        code.prompt(1, "prompt-1", "Run the tests"),
        code.api_request(3, "req_1"),
        code("assistant_response", 3, request_id="req_1", response="I run them.", model="claude-sonnet-5"),
        code.decision(9, "toolu_1", tool_parameters=command),
        code.decision(9.1, "toolu_2", "Read", source="hook"),
        code("hook_execution_complete", 9, hook_event="PreToolUse", hook_name="PreToolUse:Read", num_blocking="0"),
        code.result(10, "toolu_1", tool_parameters=command, tool_input='{"command":"pytest -q","timeout":60}'),
        code.result(10.5, "toolu_2", "Read", "false", "hook", error="no such file", error_type="Error:ENOENT"),
        code.api_request(
            13, "req_2", (1, 10, 2100, 0), query_source="agent:builtin:Explore", **{"agent.name": "Explore"}
        ),
        code(
            "api_error",
            14,
            model="claude-sonnet-5",
            error="Overloaded",
            status_code="529",
            duration_ms="500",
            attempt="3",
        ),
        code.api_request(16, "req_3", (2, 30, 2200, 0)),
        code("assistant_response", 16, request_id="req_3", response="All pass.", model="claude-sonnet-5"),
        code(
            "compaction", 17, trigger="auto", success="true", duration_ms="900", pre_tokens="150000", post_tokens="9000"
        ),
        code.prompt(11_000, "prompt-2", "Now delete everything"),
        code.api_request(11_002, "req_4"),
        code.decision(
            11_009, "toolu_3", decision="reject", source="user_reject", tool_parameters='{"full_command":"rm -rf /"}'
        ),
        code("api_error", 11_010, model="claude-sonnet-5", error="Request timed out", duration_ms="600", attempt="10"),
        code("api_retries_exhausted", 11_010, model="claude-sonnet-5", error="Request timed out", total_attempts="10"),
    ]


OUTLINE = """
session
  turn claude
    > Run the tests
    model claude-sonnet-5 2103+40 cache_read 2000 cache_write 100 cost_usd 0.0125
    tool Bash(command=pytest -q, description=Run tests, timeout=60)
    note approval.approved {"tool_name": "Bash", "call_id": "toolu_1", "by": "user", "source": "user_temporary"}
    note hook {"hook_event": "PreToolUse", "hook_name": "PreToolUse:Read", "num_blocking": "0"}
    tool Read() ERROR no such file
    note approval.approved {"tool_name": "Read", "call_id": "toolu_2", "by": "hook", "source": "hook"}
    model claude-sonnet-5 2101+10 cache_read 2100 cost_usd 0.0125
    model claude-sonnet-5 ERROR Overloaded
    model claude-sonnet-5 2202+30 cache_read 2200 cost_usd 0.0125
    note conversation.compacted {"trigger": "auto", "tokens_before": 150000, "tokens_after": 9000}
    < All pass.
  turn claude ERROR Request timed out
    > Now delete everything
    model claude-sonnet-5 2103+40 cache_read 2000 cache_write 100 cost_usd 0.0125
    tool Bash(command=rm -rf /) SKIPPED denied by the user
    note approval.denied {"tool_name": "Bash", "call_id": "toolu_3", "by": "user", "source": "user_reject"}
    model claude-sonnet-5 ERROR Request timed out
    note retry {"of": "model", "attempt": 10, "error": "Request timed out"}
""".strip()


class Codex:
    """A conversation of Codex: each call returns a log record; numbers are text, as its exporter writes them."""

    def __init__(self, conversation="019f7c1e-0d45-75e0-8ce3-f92d4ad9f958"):
        self.conversation = conversation

    def __call__(self, name, seconds, **own):
        """Return an event."""
        standard = {"conversation.id": self.conversation, "app.version": "0.144.0", "model": "gpt-6-codex"}
        return log(f"codex.{name}", seconds, **standard, **own)

    @staticmethod
    def request(*records):
        """Return a request with log records."""
        return logs(*records, scope="codex_otel.log_only", service="codex_cli_rs")


def codex_session(*conversation):
    """Return the events of a conversation: a command that the user allowed, a patch that was denied, a failed request."""
    code = Codex(*conversation)
    used = {
        "input_token_count": "900",
        "output_token_count": "50",
        "cached_token_count": 800,
        "reasoning_token_count": 20,
    }
    return [
        code("conversation_starts", 0, provider_name="openai", approval_policy="on-request", sandbox_policy="read-only"),
        code("user_prompt", 1, prompt="Fix it", prompt_length="6"),
        code("api_request", 2, duration_ms="400", attempt=1, **{"http.response.status_code": 200}),
        code("sse_event", 4, **{"event.kind": "response.output_item.done"}, duration_ms="10"),
        code("sse_event", 5, **{"event.kind": "response.completed"}, tool_token_count="0", **used),
        code("tool_decision", 9, tool_name="shell", call_id="call_1", decision="approved", source="user"),
        code("tool_result", 10, tool_name="shell", call_id="call_1", arguments='{"command":["ls"]}', duration_ms="300", success="true", output="a.py"),
        code("tool_decision", 12, tool_name="apply_patch", call_id="call_2", decision="denied", source="user"),
        code("sandbox_outcome", 12.5, tool_name="shell", call_id="call_1", outcome="escalated"),
        code("user_prompt", 7200, prompt="[REDACTED]", prompt_length="3"),
        code("api_request", 7202, duration_ms="900", attempt=4, **{"http.response.status_code": 503, "error.message": "unavailable"}),
    ]  # fmt: skip


CODEX = """
session
  turn codex
    > Fix it
    model gpt-6-codex 900+50 cache_read 800 reasoning 20
    tool shell(command=["ls"]) = a.py
    note approval.approved {"tool_name": "shell", "call_id": "call_1", "by": "user", "source": "approved"}
    tool apply_patch() SKIPPED denied by the user
    note approval.denied {"tool_name": "apply_patch", "call_id": "call_2", "by": "user", "source": "denied"}
    note codex.sandbox_outcome {"tool_name": "shell", "call_id": "call_1", "outcome": "escalated"}
  turn codex ERROR unavailable
    model gpt-6-codex ERROR unavailable
""".strip()


class Gemini:
    """A session of Gemini CLI: each call returns a log record."""

    def __init__(self, session="8f0c6f5e-9a57-4a26-9d67-3f2f8a7e1b42"):
        self.session, self.prompts = session, 0

    def __call__(self, name, seconds, **own):
        """Return an event."""
        standard = {"session.id": self.session, "installation.id": "i-1", "interactive": True}
        if self.prompts:
            own = {"prompt_id": f"{self.session}########{self.prompts}"} | own
        return log(f"gemini_cli.{name}", seconds, f"{name}.", **standard, **own)

    @staticmethod
    def request(*records):
        """Return a request with log records."""
        return logs(*records, scope="gemini-cli", service="gemini-cli")


def gemini_session(*session):
    """Return the events of a session: a tool by a sub-agent, one denied, one that failed, a compression, an error."""
    code = Gemini(*session)
    used = {
        "input_token_count": 700,
        "output_token_count": 30,
        "cached_content_token_count": 500,
        "thoughts_token_count": 12,
        "tool_token_count": 5,
    }
    started = [code("config", 0, model="gemini-3-pro")]
    code.prompts = 1
    first = [
        code("user_prompt", 1, prompt="Look around", prompt_length=11),
        code("api_request", 2, model="gemini-3-pro"),
        code("api_response", 3, model="gemini-3-pro", duration_ms=900, status_code=200, finish_reasons="STOP", role="main", **used),
        code("tool_call", 5, function_name="read_file", function_args='{"path": "a.py"}', duration_ms=40, success=True, tool_type="native", start_time=1793600004500, end_time=1793600004540),
        code("tool_call", 6, function_name="run_shell_command", function_args='{"command": "rm a.py"}', duration_ms=2000, success=False, decision="reject", tool_type="native"),
        code("tool_call", 7, function_name="search", function_args='{"q": "x"}', duration_ms=10, success=False, decision="accept", error="no server", error_type="unknown", tool_type="mcp", mcp_server_name="web"),
        code("chat_compression", 8, tokens_before=90000, tokens_after=8000),
        code("hook_call", 9, hook_event_name="AfterTool", success=True),
    ]  # fmt: skip
    agents = [
        code("agent.start", 9.5, prompt_id="", agent_id="investigator-1", agent_name="codebase_investigator"),
        code("agent.finish", 20, prompt_id="", agent_id="investigator-1", agent_name="codebase_investigator", duration_ms=10500, turn_count=3, terminate_reason="TIMEOUT"),
    ]  # fmt: skip
    last = code("api_error", 22, model="gemini-3-pro", error="quota", duration_ms=100, status_code=429, role="main")
    return [*started, *first, *agents, last]


GEMINI = """
session
  turn gemini ERROR quota
    > Look around
    model gemini-3-pro 705+42 cache_read 500 reasoning 12
    tool read_file(path=a.py)
    tool run_shell_command(command=rm a.py) SKIPPED denied by the user
    note approval.denied {"tool_name": "run_shell_command", "call_id": "(id)", "by": "user", "source": "reject"}
    tool search(q=x) ERROR no server
    note approval.approved {"tool_name": "search", "call_id": "(id)", "by": "user", "source": "accept"}
    note conversation.compacted {"tokens_before": 90000, "tokens_after": 8000}
    note hook {"hook_event_name": "AfterTool", "success": true}
    agent codebase_investigator ERROR TIMEOUT
    model gemini-3-pro ERROR quota
""".strip()
