"""A corpus of transcripts, made by hand after the public formats, and what the same sessions report over OTLP."""

import json

from support.coding_agents import ClaudeCode, at_ns
from turnspan.model.records import iso

PICTURE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "c2VjcmV0"}}


def stamp(seconds):
    """Return a moment as transcripts write it."""
    return iso(at_ns(seconds))[:23] + "Z"


class ClaudeTranscript:
    """Lines of one of Claude Code's transcripts; ids end with what makes them those of one example."""

    def __init__(self, session, of=""):
        self.session, self.of, self.last, self.lines = session, of, None, []

    def line(self, kind, seconds, uuid, *, parent=None, **own):
        """Add a line."""
        entry = {
            "parentUuid": parent or self.last,
            "isSidechain": False,
            "sessionId": self.session,
            "cwd": "/home/me/project",
            "version": "2.1.220",
            "type": kind,
            "uuid": f"{uuid}{self.of}",
            "timestamp": stamp(seconds),
        }
        self.lines.append(entry | own)
        self.last = entry["uuid"]

    def prompt(self, seconds, number, content, **own):
        """Add a prompt."""
        message = {"role": "user", "content": content}
        self.line("user", seconds, f"u{number}", promptId=f"p{number}{self.of}", message=message, **own)

    def answer(self, seconds, number, block, request, used=40, **own):
        """Add a line of an answer: a block of its content."""
        usage = {
            "input_tokens": 3,
            "cache_read_input_tokens": 2000,
            "cache_creation_input_tokens": 100,
            "output_tokens": used,
        }
        message = {
            "role": "assistant",
            "id": f"msg_{request}{self.of}",
            "model": "claude-sonnet-5",
            "usage": usage,
            "content": [block],
        }
        self.line("assistant", seconds, f"a{number}", requestId=f"req_{request}{self.of}", message=message, **own)

    def call(self, seconds, number, call_id, name, given, request, **own):
        """Add a line of an answer that calls a tool."""
        self.answer(
            seconds,
            number,
            {"type": "tool_use", "id": f"{call_id}{self.of}", "name": name, "input": given},
            request,
            **own,
        )

    def result(self, seconds, number, call_id, content, *, error=False, prompt=None, **own):
        """Add what a tool returned."""
        block = {"type": "tool_result", "tool_use_id": f"{call_id}{self.of}", "content": content, "is_error": error}
        named = {} if prompt is None else {"promptId": f"p{prompt}{self.of}"}
        self.line("user", seconds, f"r{number}", message={"role": "user", "content": [block]}, **named, **own)


def claude_files(of=""):
    """Return the files of a session: lines by path. Parallel tools, a sub-agent, an interruption, compaction, a rewind, a fork."""

    def text(said):
        return {"type": "text", "text": said}

    main = ClaudeTranscript(f"main{of}", of)
    main.prompt(1, 1, [text("What is in these?"), PICTURE])
    main.answer(2.5, 1, text("I look."), 1)
    main.call(2.6, 2, "toolu_1", "Read", {"file_path": "a"}, 1)
    main.call(2.7, 3, "toolu_2", "Read", {"file_path": "b"}, 1)
    main.result(4, 1, "toolu_2", "<error>no such file</error>", error=True, prompt=1)
    main.result(5, 2, "toolu_1", [text("an a"), PICTURE], prompt=1)
    main.answer(7, 4, text("One is an a."), 2, 12)
    end_of_first = main.last
    main.prompt(10, 2, "Have it reviewed")
    main.call(12, 5, "toolu_3", "Task", {"subagent_type": "reviewer", "prompt": "Review"}, 3)
    main.result(
        30, 3, "toolu_3", [text("It is fine.")], prompt=2, toolUseResult={"agentId": f"x1{of}", "status": "completed"}
    )
    main.answer(32, 6, text("Reviewed."), 4, 9)
    copied = [dict(line) for line in main.lines]
    main.prompt(40, 3, "Now deploy")
    main.answer(41, 7, text("I deploy"), 5, 5)
    main.line("user", 42, "i3", message={"role": "user", "content": [text("[Request interrupted by user]")]})
    compaction = {"trigger": "manual", "preTokens": 150000}
    main.line(
        "system", 50, "c1", subtype="compact_boundary", compactMetadata=compaction, content="Conversation compacted"
    )
    main.line(
        "user", 51, "c2", isCompactSummary=True, message={"role": "user", "content": "They looked at a, and reviewed."}
    )
    main.prompt(60, 4, "Remove it all")
    main.call(61, 8, "toolu_5", "Bash", {"command": "rm -rf /"}, 6)
    main.result(
        65,
        5,
        "toolu_5",
        "The user doesn't want to proceed with this tool use. The tool use was rejected",
        error=True,
        prompt=4,
    )
    main.prompt(70, 5, "Rather the b", parent=end_of_first)
    main.answer(72, 9, text("Done with b."), 7, 6)
    agent = ClaudeTranscript(main.session, of)
    side = {"isSidechain": True, "agentId": f"x1{of}"}
    agent.prompt(13, 2, "Review", **side)
    agent.lines[-1]["uuid"] = f"su2{of}"
    agent.call(15, 31, "toolu_4", "Grep", {"pattern": "TODO"}, 31, **side)
    agent.result(17, 31, "toolu_4", "nothing", **side)
    agent.answer(19, 32, text("It is fine, says the reviewer."), 32, 8, **side)
    fork = ClaudeTranscript(f"fork{of}", of)
    origin = {"sessionId": main.session}
    fork.lines = [
        line | {"sessionId": fork.session, "forkedFrom": origin | {"messageUuid": line["uuid"]}} for line in copied
    ]
    fork.last = copied[-1]["uuid"]
    fork.prompt(80, 6, "And in English?")
    fork.answer(82, 41, text("It is a letter."), 41, 4)
    return {f"main{of}.jsonl": main.lines, f"agent-x1{of}.jsonl": agent.lines, f"fork{of}.jsonl": fork.lines}  # fmt: skip


def claude_events(of=""):
    """Return what the main session of :func:`claude_files` reports over OTLP."""
    code = ClaudeCode(f"main{of}")
    return [
        code.prompt(1, f"p1{of}", **{"message.uuid": f"u1{of}"}),
        code.api_request(2.6, f"req_1{of}"),
        code.decision(2.8, f"toolu_1{of}", "Read", source="config"),
        code.result(4, f"toolu_2{of}", "Read", "false", "config", error_type="Error:ENOENT"),
        code.result(5, f"toolu_1{of}", "Read", "true", "config", tool_input='{"file_path":"a"}'),
        code.api_request(7, f"req_2{of}", (3, 12, 2000, 100)),
        code.prompt(10, f"p2{of}", "Have it reviewed", **{"message.uuid": f"u2{of}"}),
        code.api_request(19, f"req_32{of}", (3, 8, 2000, 100), query_source="agent:custom:reviewer", **{"agent.name": "reviewer"}),
        code.result(17, f"toolu_4{of}", "Grep", "true", "config"),
        code.prompt(40, f"p3{of}", **{"message.uuid": f"u3{of}"}),
        code("compaction", 50, trigger="manual", success="true", pre_tokens="150000", post_tokens="4000"),
        code.prompt(60, f"p4{of}", "Remove it all"),
        code.decision(64, f"toolu_5{of}", decision="reject", source="user_reject", tool_parameters='{"full_command":"rm -rf /"}'),
        code.prompt(70, f"p5{of}"),
        code("api_error", 71, model="claude-sonnet-5", error="Overloaded", status_code="529", request_id=f"req_e{of}", attempt="1"),
    ]  # fmt: skip


def as_text(lines):
    """Return lines of JSON."""
    return "".join(json.dumps(line) + "\n" for line in lines)


def codex_rollout(conversation):
    """Return the rollout of the conversation that ``coding_agents.codex_session`` reports, with what its export leaves out."""

    def item(seconds, **payload):
        return {"timestamp": stamp(seconds), "type": "response_item", "payload": payload}

    def event(seconds, **payload):
        return {"timestamp": stamp(seconds), "type": "event_msg", "payload": payload}

    used = {"input_tokens": 900, "cached_input_tokens": 800, "output_tokens": 50, "reasoning_output_tokens": 20}
    text = {"type": "output_text", "text": "I list, and fix."}
    denied = {"output": "rejected by user", "metadata": {"exit_code": 1}}
    return [
        {"timestamp": stamp(0), "type": "session_meta", "payload": {"id": conversation, "cwd": "/home/me/project", "cli_version": "0.144.0"}},
        {"timestamp": stamp(1), "type": "turn_context", "payload": {"model": "gpt-6-codex", "approval_policy": "on-request"}},
        event(1, type="task_started", turn_id="turn-1"),
        item(1, type="message", role="user", content=[{"type": "input_text", "text": "<environment_context>...</environment_context>"}]),
        item(1.1, type="message", role="user", content=[{"type": "input_text", "text": "Fix it"}]),
        event(1.1, type="user_message", message="Fix it", images=[]),
        item(4, type="reasoning", summary=[], encrypted_content="..."),
        item(4.5, type="message", role="assistant", content=[text]),
        event(4.5, type="agent_message", message="I list, and fix."),
        item(4.6, type="function_call", name="shell", arguments='{"command": ["ls"]}', call_id="call_1"),
        event(5, type="token_count", info={"last_token_usage": used}),
        item(10, type="function_call_output", call_id="call_1", output='{"output":"a.py","metadata":{"exit_code":0}}'),
        item(11, type="custom_tool_call", name="apply_patch", input="*** Begin Patch", call_id="call_2"),
        item(12, type="custom_tool_call_output", call_id="call_2", output=json.dumps(denied)),
        {"timestamp": stamp(13), "type": "compacted", "payload": {"message": "They wanted it fixed."}},
        event(20, type="turn_aborted", turn_id="turn-1", reason="interrupted"),
        event(7200.2, type="task_started", turn_id="turn-2"),
        event(7200.2, type="user_message", message="Go", images=["data:image/png;base64,aaaa"]),
    ]  # fmt: skip


def gemini_chat(session):
    """Return the chat of the session that ``coding_agents.gemini_session`` reports, with what its export leaves out."""
    tokens = {"input": 700, "output": 30, "cached": 500, "thoughts": 12, "tool": 5, "total": 742}
    output = [{"functionResponse": {"response": {"output": "import os"}}}]
    calls = [
        {
            "id": "read_file-1",
            "name": "read_file",
            "args": {"path": "a.py"},
            "status": "success",
            "timestamp": stamp(5),
            "result": output,
        },
        {
            "id": "run_shell_command-1",
            "name": "run_shell_command",
            "args": {"command": "rm a.py"},
            "status": "cancelled",
            "timestamp": stamp(6),
        },
        {"id": "search-1", "name": "search", "args": {"q": "x"}, "status": "error", "timestamp": stamp(7)},
    ]
    answer = {
        "id": "m2",
        "timestamp": stamp(3),
        "type": "gemini",
        "content": "Here is what I see.",
        "model": "gemini-3-pro",
    }
    return [
        {"sessionId": session, "projectHash": "abc", "startTime": stamp(0), "kind": "main"},
        {"id": "m1", "timestamp": stamp(1.1), "type": "user", "content": [{"text": "Look around"}]},
        answer,
        answer | {"tokens": tokens},
        answer | {"tokens": tokens, "toolCalls": calls},
        {"$set": {"lastUpdated": stamp(8)}},
        {"id": "m3", "timestamp": stamp(23), "type": "error", "content": "quota"},
        {"$rewindTo": "m1"},
        {"id": "m4", "timestamp": stamp(60), "type": "user", "content": "Look again"},
    ]  # fmt: skip
