"""A handwritten loop over the ``mistralai`` client that knows nothing of turnspan: two turns, two tools, one failing.

turnspan run examples/mistralai_loop.py      # pip install mistralai
"""

import json

from mistralai.client import Mistral
from mistralai.client.httpclient import httpx

SCRIPT = [
    ("Hello! How can I help?", []),
    ("", [("c1", "find_invoice"), ("c2", "refund")]),
    ("You paid twice. The bank is down, I will refund you tomorrow.", []),
]


def server(_request: httpx.Request) -> httpx.Response:
    """Answer from the script; what Mistral would do over the network."""
    text, calls = SCRIPT.pop(0)
    message = {"role": "assistant", "content": text}
    if calls:
        message["tool_calls"] = [
            {"id": call_id, "type": "function", "function": {"name": name, "arguments": '{"number": "7"}'}}
            for call_id, name in calls
        ]
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if calls else "stop"}
    used = {"prompt_tokens": 120, "completion_tokens": 18, "total_tokens": 138}
    done = {"id": "r", "object": "chat.completion", "created": 1, "model": "mistral-large-latest"}
    return httpx.Response(200, json={**done, "choices": [choice], "usage": used})


def find_invoice(number: str) -> str:
    return f"invoice {number}: 42.00 EUR, paid twice"


def refund(number: str) -> str:
    raise ConnectionError(f"the bank did not answer for {number}")


client = Mistral(api_key="none", client=httpx.Client(transport=httpx.MockTransport(server)))
messages = [{"role": "system", "content": "Help with invoices."}]
for prompt in ("Hi", "I paid invoice 7 twice"):
    messages.append({"role": "user", "content": prompt})
    while True:
        answer = client.chat.complete(model="mistral-large-latest", messages=messages).choices[0].message
        messages.append(answer)
        if not answer.tool_calls:
            break
        for call in answer.tool_calls:
            try:
                result = globals()[call.function.name](**json.loads(call.function.arguments))
            except ConnectionError as error:
                result = f"Error: {error}"
            messages.append({"role": "tool", "tool_call_id": call.id, "name": call.function.name, "content": result})
    print(answer.content)
