"""ConverseStream: a conversation whose answers are printed as they come, the model's reasoning among them.

https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-examples.html
"""

import boto3

bedrock = boto3.client("bedrock-runtime")
messages = []


def ask(prompt):
    messages.append({"role": "user", "content": [{"text": prompt}]})
    response = bedrock.converse_stream(
        modelId="us.amazon.nova-lite-v1:0",
        messages=messages,
        system=[{"text": "You are an app that creates playlists."}],
    )
    text = ""
    for event in response["stream"]:
        if "contentBlockDelta" in event:
            delta = event["contentBlockDelta"]["delta"]
            if "reasoningContent" in delta:
                print("thinks:", delta["reasoningContent"]["text"])
            else:
                text += delta["text"]
                print(delta["text"], end="")
        if "messageStop" in event:
            print(f"\nStop reason: {event['messageStop']['stopReason']}")
        if "metadata" in event:
            print(event["metadata"]["usage"])
    messages.append({"role": "assistant", "content": [{"text": text}]})


ask("Create a list of 3 pop songs.")
ask("Make sure the songs are by artists from the United Kingdom.")

NEEDS = ["boto3>=1.40"]
MODEL = [{"thinking": "Three will do.", "text": "One, two and three."}, "Four, five and six."]
RECORD = """
session
  turn
    > Create a list of 3 pop songs.
    model us.amazon.nova-lite-v1:0 10+2
    < One, two and three.
  turn
    > Make sure the songs are by artists from the United Kingdom.
    model us.amazon.nova-lite-v1:0 10+2
    < Four, five and six.
"""
