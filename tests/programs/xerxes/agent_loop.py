"""The loop that the terminal uses: permissions that a user is asked for, tools that fail, a second turn, a cancel.

https://github.com/erfanzar/Xerxes-Agents
"""

import os

from xerxes import AgentState, PermissionRequest, TextChunk, ToolEnd, TurnDone, run_agent_loop

TOOLS = [
    {"name": name, "description": name, "input_schema": {"type": "object", "properties": {"path": {"type": "string"}}}}
    for name in ("ReadFile", "WriteFile")
]


def execute(name: str, inputs: dict) -> str:
    if inputs["path"] == "missing.txt":
        raise FileNotFoundError(inputs["path"])
    return f"{name} {inputs['path']}"


config = {
    "model": "local-1",
    "base_url": os.environ["OPENAI_BASE_URL"],
    "api_key": os.environ["OPENAI_API_KEY"],
    "permission_mode": "manual",
}
state = AgentState()
for prompt in ["Read a.txt and missing.txt, then write b.txt and c.txt", "Thank you", "Go on for ever"]:
    asked = iter([True, True, True, False])
    heard = []
    for event in run_agent_loop(
        prompt, state, config, "Be brief.", execute, TOOLS, cancel_check=lambda: "for ever" in prompt
    ):
        match event:
            case PermissionRequest():
                event.granted = next(asked)
                print("may", event.tool_name, event.inputs, event.granted)
            case TextChunk(text=text):
                heard.append(text)
            case ToolEnd(name=name, result=result, permitted=permitted):
                print(name, permitted, result)
            case TurnDone(input_tokens=used, output_tokens=written):
                print(used, written)
    print("".join(heard))

NEEDS = ["xerxes-agent>=0.2.5"]
MODEL = [
    [("ReadFile", {"path": "a.txt"}, "l1"), ("ReadFile", {"path": "missing.txt"}, "l2")],
    [("WriteFile", {"path": "b.txt"}, "l3"), ("WriteFile", {"path": "c.txt"}, "l4")],
    "b.txt is written.",
    "You are welcome.",
]
RECORD = """
session
  turn
    > Read a.txt and missing.txt, then write b.txt and c.txt
    model local-1 10+2
    tool ReadFile(path=a.txt) = ReadFile a.txt
    note approval.asked {"tool_name": "ReadFile", "call_id": "l1", "arguments": {"path": "a.txt"}, "reason": "ReadFile(a.txt)"}
    note approval.approved {"tool_name": "ReadFile", "call_id": "l1"}
    tool ReadFile(path=missing.txt) = Error executing ReadFile: missing.txt ERROR missing.txt
    note approval.asked {"tool_name": "ReadFile", "call_id": "l2", "arguments": {"path": "missing.txt"}, "reason": "ReadFile(missing.txt)"}
    note approval.approved {"tool_name": "ReadFile", "call_id": "l2"}
    model local-1 10+2
    tool WriteFile(path=b.txt) = WriteFile b.txt
    note approval.asked {"tool_name": "WriteFile", "call_id": "l3", "arguments": {"path": "b.txt"}, "reason": "Write to: "}
    note approval.approved {"tool_name": "WriteFile", "call_id": "l3"}
    tool WriteFile(path=c.txt) = Denied: user rejected this operation. SKIPPED Denied: user rejected this operation.
    note approval.asked {"tool_name": "WriteFile", "call_id": "l4", "arguments": {"path": "c.txt"}, "reason": "Write to: "}
    note approval.denied {"tool_name": "WriteFile", "call_id": "l4"}
    model local-1 10+2
    < b.txt is written.
  turn
    > Thank you
    model local-1 10+2
    < You are welcome.
  turn CANCELLED
    > Go on for ever
    < ↵[Cancelled]
"""
