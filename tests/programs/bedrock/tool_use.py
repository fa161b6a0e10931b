"""Tool use with Converse: a tool that fails says so in its result.

https://docs.aws.amazon.com/bedrock/latest/userguide/tool-use-examples.html
"""

import boto3

TOOLS = {
    "tools": [
        {
            "toolSpec": {
                "name": "top_song",
                "description": "Get the most popular song played on a radio station.",
                "inputSchema": {
                    "json": {"type": "object", "properties": {"sign": {"type": "string"}}, "required": ["sign"]}
                },
            }
        }
    ]
}


class StationNotFoundError(Exception):
    pass


def top_song(sign):
    if sign != "WZPZ":
        raise StationNotFoundError(f"Station {sign} not found.")
    return {"song": "Elemental Hotel", "artist": "8 Storey Hike"}


bedrock = boto3.client("bedrock-runtime")
messages = [{"role": "user", "content": [{"text": "What is the most popular song on WZPZ, and on WXYZ?"}]}]
while True:
    response = bedrock.converse(modelId="anthropic.claude-sonnet-4-5-v1:0", messages=messages, toolConfig=TOOLS)
    message = response["output"]["message"]
    messages.append(message)
    if response["stopReason"] != "tool_use":
        break
    results = []
    for use in (block["toolUse"] for block in message["content"] if "toolUse" in block):
        try:
            result = {"content": [{"json": top_song(use["input"]["sign"])}]}
        except StationNotFoundError as error:
            result = {"content": [{"text": error.args[0]}], "status": "error"}
        print(use["name"], use["input"], result)
        results.append({"toolResult": {"toolUseId": use["toolUseId"], **result}})
    messages.append({"role": "user", "content": results})
print(message["content"][0]["text"], response["usage"])

NEEDS = ["boto3>=1.40"]
MODEL = [
    {
        "text": "I look for both.",
        "tool_calls": [("top_song", {"sign": "WZPZ"}, "t1"), ("top_song", {"sign": "WXYZ"}, "t2")],
        "usage": {"input_tokens": 20, "output_tokens": 60, "cache_write_tokens": 1400},
    },
    {
        "text": "It is Elemental Hotel; there is no WXYZ.",
        "usage": {"input_tokens": 90, "output_tokens": 14, "cached_tokens": 1400},
    },
]
RECORD = """
session
  turn
    > What is the most popular song on WZPZ, and on WXYZ?
    model anthropic.claude-sonnet-4-5-v1:0 1420+60 cache_write 1400
    tool top_song(sign=WXYZ) = Station WXYZ not found. ERROR Station WXYZ not found.
    tool top_song(sign=WZPZ) = {"song": "Elemental Hotel", "artist": "8 Storey Hike"}
    model anthropic.claude-sonnet-4-5-v1:0 1490+14 cache_read 1400
    < It is Elemental Hotel; there is no WXYZ.
"""
