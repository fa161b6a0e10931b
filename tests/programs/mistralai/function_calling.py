"""Function calling: two functions for a payment, asked for together.

https://docs.mistral.ai/capabilities/function_calling
"""

import json
import os

from mistralai.client import Mistral

STATUS = {"T1001": "Paid", "T1002": "Unpaid"}
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "retrieve_payment_status",
            "description": "Get payment status of a transaction",
            "parameters": {"type": "object", "properties": {"transaction_id": {"type": "string"}}},
        },
    }
]


def retrieve_payment_status(transaction_id: str) -> str:
    return json.dumps({"status": STATUS[transaction_id]})


client = Mistral(api_key=os.environ["MISTRAL_API_KEY"], server_url=os.environ["MISTRAL_SERVER_URL"])
messages = [{"role": "user", "content": "What's the status of my transactions T1001 and T1002?"}]
while True:
    response = client.chat.complete(model="mistral-large-latest", messages=messages, tools=TOOLS, tool_choice="any")
    message = response.choices[0].message
    messages.append(message)
    if not message.tool_calls:
        break
    for call in message.tool_calls:
        result = retrieve_payment_status(**json.loads(call.function.arguments))
        print(call.function.name, call.function.arguments, result)
        messages.append({"role": "tool", "name": call.function.name, "content": result, "tool_call_id": call.id})
print(message.content, response.usage.total_tokens)

NEEDS = ["mistralai>=3.0"]
MODEL = [
    [
        ("retrieve_payment_status", {"transaction_id": "T1001"}, "c1"),
        ("retrieve_payment_status", {"transaction_id": "T1002"}, "c2"),
    ],
    {"text": "T1001 is paid, T1002 is not.", "usage": {"input_tokens": 120, "output_tokens": 14, "cached_tokens": 64}},
]
RECORD = """
session
  turn
    > What's the status of my transactions T1001 and T1002?
    model mistral-large-latest 10+2
    tool retrieve_payment_status(transaction_id=T1001) = {"status": "Paid"}
    tool retrieve_payment_status(transaction_id=T1002) = {"status": "Unpaid"}
    model mistral-large-latest 120+14 cache_read 64
    < T1001 is paid, T1002 is not.
"""
