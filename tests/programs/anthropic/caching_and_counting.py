"""Prompt caching and token counting: a long document in the system prompt, its cost counted first, two questions.

https://platform.claude.com/docs/en/build-with-claude/prompt-caching
"""

from anthropic import Anthropic

client = Anthropic()
BOOK = "It is a truth universally acknowledged, that a single man must be in want of a wife. "
system = [
    {"type": "text", "text": "You are an assistant of literary scholars."},
    {"type": "text", "text": BOOK * 20, "cache_control": {"type": "ephemeral"}},
]
messages = [{"role": "user", "content": "Who must be in want of a wife?"}]
counted = client.messages.count_tokens(model="claude-opus-4-6", system=system, messages=messages)
print(counted.input_tokens > 100)

for follow_up in ("And who acknowledges it?", None):
    answer = client.messages.create(model="claude-opus-4-6", max_tokens=100, system=system, messages=messages)
    used = answer.usage
    print(answer.content[0].text, used.input_tokens, used.cache_creation_input_tokens, used.cache_read_input_tokens)
    if follow_up:
        messages += [
            {"role": "assistant", "content": [{"type": "text", "text": answer.content[0].text}]},
            {"role": "user", "content": [{"type": "text", "text": follow_up, "cache_control": {"type": "ephemeral"}}]},
        ]

NEEDS = ["anthropic>=0.47"]
MODEL = [
    {"text": "A single man.", "usage": {"input_tokens": 21, "output_tokens": 5, "cache_write_tokens": 400}},
    {"text": "Everybody.", "usage": {"input_tokens": 9, "output_tokens": 3, "cached_tokens": 400}},
]
RECORD = """
session
  turn
    > Who must be in want of a wife?
    model claude-opus-4-6 421+5 cache_write 400
    < A single man.
  turn
    > And who acknowledges it?
    model claude-opus-4-6 409+3 cache_read 400
    < Everybody.
"""
