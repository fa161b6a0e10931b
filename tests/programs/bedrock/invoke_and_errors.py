"""InvokeModel, whole and streamed, and a model that one has no access to.

https://docs.aws.amazon.com/bedrock/latest/userguide/bedrock-runtime_example_bedrock-runtime_InvokeModel_AnthropicClaude_section.html
"""

import json

import boto3
from botocore.exceptions import ClientError

bedrock = boto3.client("bedrock-runtime")
asked = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 512}
body = json.dumps(
    {**asked, "messages": [{"role": "user", "content": "Describe the purpose of a hello world program."}]}
)

response = bedrock.invoke_model(modelId="anthropic.claude-haiku-4-5-v1:0", body=body)
print(json.loads(response["body"].read())["content"][0]["text"])
streaming = bedrock.invoke_model_with_response_stream(modelId="anthropic.claude-haiku-4-5-v1:0", body=body)
for event in streaming["body"]:
    print(json.loads(event["chunk"]["bytes"])["type"])
try:
    bedrock.converse(modelId="no-such-model", messages=[{"role": "user", "content": [{"text": "Hi"}]}])
except ClientError as error:
    print("Error:", error.response["Error"]["Code"])

NEEDS = ["boto3>=1.40"]
MODEL = [
    {"text": "It shows that all is well.", "usage": {"input_tokens": 21, "output_tokens": 8, "cached_tokens": 100}},
    {"text": "It shows that all is well.", "usage": {"input_tokens": 21, "output_tokens": 8}},
    {"status": 403, "message": "You don't have access to the model with the specified model ID."},
]
RECORD = """
session
  turn
    model anthropic.claude-haiku-4-5-v1:0 121+8 cache_read 100
session
  turn
    model anthropic.claude-haiku-4-5-v1:0 21+8
session
  turn ERROR An error occurred (AccessDeniedException) when calling the Converse operation: You don't have access to the model with the specified model ID.
    > Hi
    model no-such-model ERROR An error occurred (AccessDeniedException) when calling the Converse operation: You don't have access to the model with the specified model ID.
"""
