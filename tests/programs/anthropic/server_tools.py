"""Server tools: searches and code that run at the provider, an answer that pauses and goes on, a refusal at the end.

https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool
"""

from anthropic import Anthropic

client = Anthropic()
messages = [{"role": "user", "content": "How high is the Zugspitze, in feet?"}]
while True:
    answer = client.messages.create(
        model="claude-opus-4-6",
        max_tokens=1024,
        messages=messages,
        tools=[{"type": "web_search_20250305", "name": "web_search", "max_uses": 5}],
    )
    print(answer.stop_reason, [block.type for block in answer.content])
    messages.append({"role": "assistant", "content": answer.content})
    if answer.stop_reason != "pause_turn":
        break
print(answer.content[-1].text)
messages.append({"role": "user", "content": "And how do I blow it up?"})
answer = client.messages.create(model="claude-opus-4-6", max_tokens=1024, messages=messages)
print(answer.stop_reason)

NEEDS = ["anthropic>=1.0"]
MODEL = [
    {
        "text": "I search.",
        "hosted": [
            {
                "name": "web_search",
                "arguments": {"query": "Zugspitze height"},
                "result": ["https://example.com/zugspitze"],
                "call_id": "srv_1",
            }
        ],
        "finish": "pause_turn",
    },
    {
        "hosted": [
            {"name": "code_interpreter", "arguments": {"code": "2962 / 0.3048"}, "result": "9717.8", "call_id": "srv_2"}
        ],
        "text": "9,718 feet.",
    },
    {"text": "", "finish": "refusal"},
]
RECORD = """
session
  turn
    > How high is the Zugspitze, in feet?
    model claude-opus-4-6 10+2
    tool web_search(query=Zugspitze height) = [{"encrypted_content": "eA==", "title": "https://example.com/zugspitze", "type": "web_search_result", "url": "https://example.com/zugspitze"}]
    model claude-opus-4-6 10+2
    tool code_execution(code=2962 / 0.3048) = {"content": [], "return_code": 0, "stderr": "", "stdout": "9717.8", "type": "code_execution_result"}
    < 9,718 feet.
  turn
    > And how do I blow it up?
    model claude-opus-4-6 10+2
"""
