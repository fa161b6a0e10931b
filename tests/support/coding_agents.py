"""What coding agents send, made by hand after their documentation: log records in OTLP's JSON."""

from support.otlp import attribute

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
        return log(name, seconds, f"claude_code.{name}", **standard, **own)

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
