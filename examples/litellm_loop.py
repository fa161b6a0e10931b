"""A handwritten loop over LiteLLM that knows nothing of turnspan: two turns, two tools, one failing; its own mock answers.

turnspan run examples/litellm_loop.py      # pip install litellm
"""

import json
import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # or it fetches a list of prices

import litellm

CALLS = [
    {"id": call_id, "type": "function", "function": {"name": name, "arguments": '{"number": "7"}'}}
    for call_id, name in (("c1", "find_invoice"), ("c2", "refund"))
]
SCRIPT = [
    {"mock_response": "Hello! How can I help?"},
    {"mock_response": "", "mock_tool_calls": CALLS},
    {"mock_response": "You paid twice. The bank is down, I will refund you tomorrow."},
]


def find_invoice(number: str) -> str:
    return f"invoice {number}: 42.00 EUR, paid twice"


def refund(number: str) -> str:
    raise ConnectionError(f"the bank did not answer for {number}")


messages = [{"role": "system", "content": "Help with invoices."}]
for prompt in ("Hi", "I paid invoice 7 twice"):
    messages.append({"role": "user", "content": prompt})
    while True:
        answer = litellm.completion(model="openai/gpt-5", messages=messages, **SCRIPT.pop(0)).choices[0].message
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
