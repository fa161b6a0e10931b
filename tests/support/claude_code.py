#!/usr/bin/env -S python3 -I
"""A stand-in for Claude Code: its stream-json protocol, and a loop over Anthropic's API, with nothing to install.

``ClaudeAgentOptions(cli_path=...)`` starts it in a process of its own. It asks the model at ``ANTHROPIC_BASE_URL``, calls
tools of servers in the program over the control protocol, asks for permissions, calls hooks and runs sub-agents. What it
has of its own is ``Read`` alone.
"""

import json
import os
import queue
import re
import sys
import threading
import urllib.error
import urllib.request
import uuid

VERSION = "2.9.9"
_writing = threading.Lock()


def say(line):
    with _writing:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


class Arguments:
    """The command line, of which most is passed over."""

    def __init__(self, given):
        self._given = given

    def __contains__(self, name):
        return f"--{name}" in self._given

    def get(self, name, default=None):
        for at, one in enumerate(self._given):
            if one == f"--{name}":
                return self._given[at + 1]
            if one.startswith(f"--{name}="):
                return one.partition("=")[2]
        return default


class Program:
    """The other end of the pipes."""

    def __init__(self):
        self.prompts = queue.Queue()
        self.started = {}
        self.interrupted = threading.Event()
        self._answers = {}
        self._over = False
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for text in sys.stdin:
            line = json.loads(text)
            if line["type"] == "user":
                self.prompts.put(line["message"]["content"])
            elif line["type"] == "control_response":
                self._answers.pop(line["response"]["request_id"]).put(line["response"])
            elif line["type"] == "control_request":
                self._asked(line)
        self._over = True
        self.prompts.put(None)
        self.stop()

    def _asked(self, line):
        if line["request"]["subtype"] == "initialize":
            self.started = line["request"]
        answer = {"subtype": "success", "request_id": line["request_id"], "response": {}}
        say({"type": "control_response", "response": answer})
        if line["request"]["subtype"] == "interrupt":
            self.interrupted.set()
            self.stop()

    def stop(self):
        for waiting in list(self._answers.values()):
            waiting.put({"subtype": "error", "error": "interrupted"})

    def ask(self, **request):
        """Ask the program something, and wait for its answer."""
        request_id = str(uuid.uuid4())
        waiting = self._answers[request_id] = queue.Queue()
        say({"type": "control_request", "request_id": request_id, "request": request})
        if self._over:
            return {}
        answer = waiting.get()
        if answer["subtype"] == "error":
            return {"error": answer["error"]}
        return answer["response"]


class Session:
    """A conversation."""

    def __init__(self, given, program):
        self.given, self.program = given, program
        self.id = given.get("resume") or given.get("session-id") or str(uuid.uuid4())
        self.model = given.get("model", "scripted")
        self.messages = []
        self.denials = []
        self.servers = json.loads(given.get("mcp-config", "{}")).get("mcpServers", {})
        self.tools = {}

    def line(self, **fields):
        say({**fields, "session_id": self.id, "uuid": str(uuid.uuid4())})

    def mcp(self, server, method, params=None, number=1):
        message = {"jsonrpc": "2.0", "method": method, "params": params or {}}
        if number is not None:
            message["id"] = number
        return self.program.ask(subtype="mcp_message", server_name=server, message=message).get("mcp_response") or {}

    def open(self):
        for server in self.servers:
            client = {"name": "claude-code", "version": VERSION}
            hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client}
            self.mcp(server, "initialize", hello)
            self.mcp(server, "notifications/initialized", number=None)
            for tool in self.mcp(server, "tools/list", number=2).get("result", {}).get("tools", ()):
                self.tools[f"mcp__{server}__{tool['name']}"] = (server, tool)

    def turn(self, prompt):
        self.program.interrupted.clear()
        self.line(
            type="system", subtype="init", model=self.model, tools=[*self.tools, "Read", "Task"], cwd=os.getcwd(),
            claude_code_version=VERSION,
        )  # fmt: skip
        if prompt == "/compact":
            self.line(
                type="system", subtype="compact_boundary", compact_metadata={"trigger": "manual", "pre_tokens": 9}
            )
            return self.result("", turns=0)
        self.messages.append({"role": "user", "content": prompt})
        try:
            text, turns = self.loop(self.messages, None)
        except InterruptedError:
            return self.result(None, subtype="error_during_execution", is_error=True)
        except StopIteration as error:
            return self.result(None, subtype="error_max_turns", is_error=True, errors=[str(error)])
        except ConnectionError as error:
            said = f"API Error: {error}"
            content = [{"type": "text", "text": said}]
            message = {"id": "none", "model": "<synthetic>", "role": "assistant", "content": content}
            self.line(type="assistant", message=message, parent_tool_use_id=None, error="unknown")
            return self.result(said, is_error=True)
        return self.result(text, turns=turns)

    def result(self, text, *, subtype="success", is_error=False, turns=1, **more):
        self.line(
            type="result", subtype=subtype, is_error=is_error, result=text, num_turns=turns, duration_ms=1,
            duration_api_ms=1, total_cost_usd=0.01, usage={}, permission_denials=self.denials, **more,
        )  # fmt: skip
        self.denials = []
        return not is_error

    def loop(self, messages, within):
        for turns in range(1, int(self.given.get("max-turns", 20)) + 1):
            answer = self.ask(messages, within)
            messages.append({"role": "assistant", "content": answer["content"]})
            for block in answer["content"]:  # a line for each
                message = {**answer, "content": [block]}
                self.line(type="assistant", message=message, parent_tool_use_id=within)
            calls = [block for block in answer["content"] if block["type"] == "tool_use"]
            if not calls:
                return "".join(block["text"] for block in answer["content"] if block["type"] == "text"), turns
            results = self.together(calls)
            messages.append({"role": "user", "content": results})
            self.line(type="user", message={"role": "user", "content": results}, parent_tool_use_id=within)
            if self.program.interrupted.is_set():
                raise InterruptedError
        raise StopIteration("Reached maximum number of turns")

    def ask(self, messages, within):
        described = [
            {"name": n, "description": "", "input_schema": t["inputSchema"]} for n, (_, t) in self.tools.items()
        ]
        body = {"model": self.model, "max_tokens": 100, "messages": messages, "tools": described}
        request = urllib.request.Request(
            os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages",
            json.dumps(body).encode(),
            {"x-api-key": os.environ["ANTHROPIC_API_KEY"], "content-type": "application/json",
             "anthropic-version": "2023-06-01"},
        )  # fmt: skip
        try:
            with urllib.request.urlopen(request) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            raise ConnectionError(json.load(error)["error"]["message"]) from None
        if "include-partial-messages" in self.given:
            for block in answer["content"]:
                for piece in re.findall(r"\s*\S+", block.get("text", "")):
                    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}
                    self.line(type="stream_event", event=delta, parent_tool_use_id=within)
        return answer

    # Tools -----------------------------------------------------------------------------------------------------------

    def together(self, calls):
        results = [None] * len(calls)

        def run(at, call):
            try:
                results[at] = self.call(call)
            except Exception as error:
                results[at] = failed(call, f"{type(error).__name__}: {error}")

        threads = [threading.Thread(target=run, args=one) for one in enumerate(calls)]
        for thread, call in zip(threads, calls, strict=True):
            thread.start()
            if call["name"] not in (
                "Task",
                "Agent",
            ):  # sub-agents work side by side, and tools that do not say they may, do not
                thread.join()
        for thread in threads:
            thread.join()
        return results

    def call(self, call):
        server, tool = self.tools.get(call["name"], (None, {}))
        missing = [name for name in tool.get("inputSchema", {}).get("required", ()) if name not in call["input"]]
        if missing:
            text = f"InputValidationError: {call['name']}: the required parameter `{missing[0]}` is missing"
            return failed(call, f"<tool_use_error>{text}</tool_use_error>")
        if (reason := self.hooked("PreToolUse", call)) or (reason := self.forbidden(call)):
            self.denials.append({k: v for k, v in call.items() if k in ("name", "id", "input")})
            return failed(call, reason)
        result = self.run(server, tool, call)
        self.hooked("PostToolUse", call, tool_response=result["content"])
        return result

    def hooked(self, event, call, **more):
        for matcher in (self.program.started.get("hooks") or {}).get(event, ()):
            if matcher["matcher"] and not re.fullmatch(matcher["matcher"], call["name"]):
                continue
            for callback in matcher["hookCallbackIds"]:
                given = {"hook_event_name": event, "session_id": self.id, "cwd": os.getcwd(),
                         "tool_name": call["name"], "tool_input": call["input"], **more}  # fmt: skip
                said = self.program.ask(
                    subtype="hook_callback", callback_id=callback, input=given, tool_use_id=call["id"]
                ).get("hookSpecificOutput", {})
                if said.get("permissionDecision") == "deny":
                    return said.get("permissionDecisionReason") or "denied"
        return None

    def forbidden(self, call):
        allowed = self.given.get("allowedTools", "").split(",")
        if self.given.get("permission-prompt-tool") != "stdio" or call["name"] in allowed:
            return None
        said = self.program.ask(
            subtype="can_use_tool", tool_name=call["name"], input=call["input"], tool_use_id=call["id"]
        )
        if said.get("behavior") == "allow":
            call["input"] = said.get("updatedInput", call["input"])
            return None
        return said.get("message") or said.get("error") or "denied"

    def run(self, server, tool, call):
        if server is not None:
            params = {"name": tool["name"], "arguments": call["input"], "_meta": {"claudecode/toolUseId": call["id"]}}
            answer = self.mcp(server, "tools/call", params, number=call["id"])
            result = answer.get("result") or {"content": [{"type": "text", "text": str(answer)}], "isError": True}
            return {"type": "tool_result", "tool_use_id": call["id"], "content": result["content"],
                    "is_error": bool(result.get("isError"))}  # fmt: skip
        if call["name"] in ("Task", "Agent"):
            given = call["input"]
            agent = (self.program.started.get("agents") or {}).get(given["subagent_type"], {})
            asked = f"{agent.get('prompt', '')}\n{given['prompt']}".strip()
            text, _ = self.loop([{"role": "user", "content": asked}], call["id"])
            return {"type": "tool_result", "tool_use_id": call["id"], "content": [{"type": "text", "text": text}]}
        if call["name"] == "Read":
            with open(call["input"]["file_path"]) as file:
                return {"type": "tool_result", "tool_use_id": call["id"], "content": file.read()}
        return failed(call, f"No such tool available: {call['name']}")


def failed(call, text):
    return {"type": "tool_result", "tool_use_id": call["id"], "content": text, "is_error": True}


def main():
    given = Arguments(sys.argv[1:])
    if "-v" in sys.argv:
        print(f"{VERSION} (Claude Code)")
        return 0
    program = Program()
    session, opened, good = Session(given, program), False, True
    while (prompt := program.prompts.get()) is not None:
        if not opened:
            session.open()
            opened = True
        good = session.turn(prompt)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
