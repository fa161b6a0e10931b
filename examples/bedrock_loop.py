"""A handwritten loop over Bedrock's Converse that knows nothing of turnspan: two turns, two tools, one failing.

turnspan run examples/bedrock_loop.py      # pip install boto3
"""

import boto3
from botocore.awsrequest import AWSResponse

SCRIPT = [
    ("Hello! How can I help?", []),
    ("", [("c1", "find_invoice"), ("c2", "refund")]),
    ("You paid twice. The bank is down, I will refund you tomorrow.", []),
]


def server(request, **_more) -> AWSResponse:
    """Answer from the script; what Bedrock would do over the network."""
    import io
    import json

    text, calls = SCRIPT.pop(0)
    uses = [{"toolUse": {"toolUseId": call_id, "name": name, "input": {"number": "7"}}} for call_id, name in calls]
    body = {
        "output": {"message": {"role": "assistant", "content": uses or [{"text": text}]}},
        "stopReason": "tool_use" if uses else "end_turn",
        "usage": {"inputTokens": 120, "outputTokens": 18, "totalTokens": 138},
        "metrics": {"latencyMs": 1},
    }
    raw = io.BytesIO(json.dumps(body).encode())
    raw.stream = lambda *_arguments, **_more: iter([raw.getvalue()])
    return AWSResponse(request.url, 200, {"content-type": "application/json"}, raw)


def find_invoice(number: str) -> str:
    return f"invoice {number}: 42.00 EUR, paid twice"


def refund(number: str) -> str:
    raise ConnectionError(f"the bank did not answer for {number}")


keys = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}
client = boto3.client("bedrock-runtime", region_name="us-east-1", **keys)
client.meta.events.register("before-send.bedrock-runtime", server)
messages = []
for prompt in ("Hi", "I paid invoice 7 twice"):
    messages.append({"role": "user", "content": [{"text": prompt}]})
    while True:
        asked = {"modelId": "anthropic.claude-sonnet-4-5-v1:0", "system": [{"text": "Help with invoices."}]}
        answer = client.converse(messages=messages, **asked)
        messages.append(answer["output"]["message"])
        if answer["stopReason"] != "tool_use":
            break
        results = []
        for use in (block["toolUse"] for block in messages[-1]["content"]):
            try:
                said = {"content": [{"text": globals()[use["name"]](**use["input"])}]}
            except ConnectionError as error:
                said = {"content": [{"text": f"Error: {error}"}], "status": "error"}
            results.append({"toolResult": {"toolUseId": use["toolUseId"], **said}})
        messages.append({"role": "user", "content": results})
    print(messages[-1]["content"][0]["text"])
