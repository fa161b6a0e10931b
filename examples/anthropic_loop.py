"""A handwritten loop over the ``anthropic`` client that knows nothing of turnspan: two turns, two tools, one failing.

turnspan run examples/anthropic_loop.py
"""

import httpx2 as httpx
from anthropic import Anthropic

SCRIPT = [
    [{"type": "text", "text": "Hello! How can I help?"}],
    [
        {"type": "tool_use", "id": "c1", "name": "find_invoice", "input": {"number": "7"}},
        {"type": "tool_use", "id": "c2", "name": "refund", "input": {"number": "7"}},
    ],
    [{"type": "text", "text": "You paid twice. The bank is down, I will refund you tomorrow."}],
]


def server(_request: httpx.Request) -> httpx.Response:
    """Answer from the script; what Anthropic would do over the network."""
    content = SCRIPT.pop(0)
    reason = "tool_use" if content[-1]["type"] == "tool_use" else "end_turn"
    used = {"input_tokens": 120, "output_tokens": 18}
    whole = {"id": "msg-1", "type": "message", "role": "assistant", "model": "claude", "content": content}
    return httpx.Response(200, json={**whole, "stop_reason": reason, "stop_sequence": None, "usage": used})


def find_invoice(number: str) -> str:
    return f"invoice {number}: 42.00 EUR, paid twice"


def refund(number: str) -> str:
    raise ConnectionError(f"the bank did not answer for {number}")


def use(call) -> dict:
    try:
        return {"type": "tool_result", "tool_use_id": call.id, "content": globals()[call.name](**call.input)}
    except ConnectionError as error:
        return {"type": "tool_result", "tool_use_id": call.id, "content": str(error), "is_error": True}


client = Anthropic(api_key="none", http_client=httpx.Client(transport=httpx.MockTransport(server)))
messages = []
for prompt in ("Hi", "I paid invoice 7 twice"):
    messages.append({"role": "user", "content": prompt})
    while True:
        answer = client.messages.create(model="claude", max_tokens=100, system="Help.", messages=messages)
        messages.append({"role": "assistant", "content": answer.content})
        if answer.stop_reason != "tool_use":
            break
        messages.append({"role": "user", "content": [use(call) for call in answer.content]})
    print(answer.content[0].text)
