"""Extended thinking with tools: thinking blocks go back as they came, streamed by the helper and as bare events.

https://platform.claude.com/docs/en/build-with-claude/extended-thinking#extended-thinking-with-tool-use
"""

from anthropic import Anthropic

client = Anthropic()
ASKED = {
    "model": "claude-sonnet-4-5",
    "max_tokens": 16000,
    "thinking": {"type": "adaptive"},
    "tools": [{"name": "get_weather", "input_schema": {"type": "object", "properties": {"location": {}}}}],
}
messages = [{"role": "user", "content": [{"type": "text", "text": "What is the weather in Paris?"}]}]
with client.messages.stream(messages=messages, **ASKED) as stream:
    for event in stream:
        if event.type in ("thinking", "text", "signature"):
            print(event.type, getattr(event, event.type))
    answer = stream.get_final_message()
messages.append({"role": "assistant", "content": answer.content})
(call,) = [block for block in answer.content if block.type == "tool_use"]
messages.append(
    {
        "role": "user",
        "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "20 degrees", "is_error": False}],
    }
)
for event in client.messages.create(messages=messages, stream=True, **ASKED):
    if event.type == "content_block_delta":
        print(event.delta.type)
    elif event.type == "message_delta":
        print(event.delta.stop_reason, event.usage.output_tokens)

NEEDS = ["anthropic>=0.47"]
MODEL = [
    {
        "thinking": "They want to know the weather",
        "text": "I look.",
        "tool_calls": [("get_weather", {"location": "Paris"}, "t1")],
        "usage": {"input_tokens": 50, "output_tokens": 80},
    },
    {"thinking": "20 is warm", "text": "It is warm.", "usage": {"input_tokens": 140, "output_tokens": 20}},
]
RECORD = """
session
  turn
    > What is the weather in Paris?
    model claude-sonnet-4-5 50+80
    tool get_weather(location=Paris) = 20 degrees
    model claude-sonnet-4-5 140+20
    < It is warm.
"""
