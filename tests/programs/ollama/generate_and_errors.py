"""Single prompts, whole, as structured output and streamed; and a model that is not there.

https://github.com/ollama/ollama-python
"""

import json

import ollama

answer = ollama.generate(model="gemma3", prompt="Why is the sky blue?", system="Answer in one sentence.")
print(answer["response"], answer.done_reason)

schema = {"type": "object", "properties": {"name": {"type": "string"}, "capital": {"type": "string"}}}
structured = ollama.chat("gemma3", [{"role": "user", "content": "Tell me about Canada."}], format=schema)
print(json.loads(structured.message.content))

client = ollama.Client()
for part in client.generate("gemma3", "Say hello", stream=True):
    print(part.response, end="")
print()
try:
    client.chat("does-not-exist", [{"role": "user", "content": "Hi"}])
except ollama.ResponseError as error:
    print("Error:", error.error, error.status_code)

NEEDS = ["ollama>=0.4.5"]
MODEL = [
    {"text": "Blue light is scattered most.", "usage": {"input_tokens": 26, "output_tokens": 9}},
    '{"name": "Canada", "capital": "Ottawa"}',
    "Hello to you.",
    {"status": 404, "message": "model 'does-not-exist' not found"},
]
RECORD = """
session
  turn
    > Say hello
    model gemma3 10+2
    < Hello to you.
session
  turn
    > Tell me about Canada.
    model gemma3 10+2
    < {"name": "Canada", "capital": "Ottawa"}
session
  turn
    > Why is the sky blue?
    model gemma3 26+9
    < Blue light is scattered most.
session
  turn ERROR model 'does-not-exist' not found (status code: 404)
    > Hi
    model does-not-exist ERROR model 'does-not-exist' not found (status code: 404)
"""
