"""A handwritten loop over the ``openai`` client that knows nothing of turnspan: two turns, two tools, one failing.

turnspan run examples/openai_loop.py
"""

import json

import httpx2 as httpx
from openai import OpenAI

SCRIPT = [
    ("Hello! How can I help?", []),
    ("", [("c1", "find_invoice"), ("c2", "refund")]),
    ("You paid twice. The bank is down, I will refund you tomorrow.", []),
]


def server(_request: httpx.Request) -> httpx.Response:
    """Answer from the script; what OpenAI would do over the network."""
    text, calls = SCRIPT.pop(0)
    message = {"role": "assistant", "content": text or None}
    if calls:
        message["tool_calls"] = [
            {"id": call_id, "type": "function", "function": {"name": name, "arguments": '{"number": "7"}'}}
            for call_id, name in calls
        ]
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if calls else "stop"}
    used = {"prompt_tokens": 120, "completion_tokens": 18, "total_tokens": 138}
    return httpx.Response(
        200,
        json={
            "id": "resp-1",
            "object": "chat.completion",
            "created": 1,
            "model": "gpt-5",
            "choices": [choice],
            "usage": used,
        },
    )


def find_invoice(number: str) -> str:
    return f"invoice {number}: 42.00 EUR, paid twice"


def refund(number: str) -> str:
    raise ConnectionError(f"the bank did not answer for {number}")


client = OpenAI(api_key="none", http_client=httpx.Client(transport=httpx.MockTransport(server)))
messages = [{"role": "system", "content": "Help with invoices."}]
for prompt in ("Hi", "I paid invoice 7 twice"):
    messages.append({"role": "user", "content": prompt})
    while True:
        answer = client.chat.completions.create(model="gpt-5", messages=messages).choices[0].message
        messages.append(answer)
        if not answer.tool_calls:
            break
        for call in answer.tool_calls:
            try:
                result = globals()[call.function.name](**json.loads(call.function.arguments))
            except ConnectionError as error:
                result = f"Error: {error}"
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
    print(answer.content)
