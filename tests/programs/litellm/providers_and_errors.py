"""Several providers through one function, and an exception in OpenAI's words.

https://docs.litellm.ai/docs/
"""

import litellm

litellm.suppress_debug_info = True
hello = [{"role": "user", "content": "Hello, how are you?"}]
print(
    litellm.completion(model="anthropic/claude-sonnet-4-5-20250929", messages=hello, max_tokens=64)
    .choices[0]
    .message.content
)
print(litellm.completion(model="gpt-4o", messages=hello).choices[0].message.content)
try:
    litellm.completion(model="openai/no-such-model", messages=[{"role": "user", "content": "Hi"}], max_retries=0)
except litellm.BadRequestError as error:
    print("Error:", error.status_code, error.llm_provider)

NEEDS = ["litellm>=1.110.2"]
MODEL = [
    {
        "text": "Well, and you?",
        "usage": {"input_tokens": 12, "output_tokens": 6, "cached_tokens": 1000, "cache_write_tokens": 50},
    },
    "Fine.",
    {"status": 400, "message": "The model `no-such-model` does not exist"},
]
RECORD = """
session
  turn
    > Hello, how are you?
    model claude-sonnet-4-5-20250929 1062+6 cache_read 1000 cache_write 50
    < Well, and you?
session
  turn
    > Hello, how are you?
    model gpt-4o 10+2
    < Fine.
session
  turn ERROR litellm.BadRequestError: OpenAIException - The model `no-such-model` does not exist
    > Hi
    model no-such-model ERROR litellm.BadRequestError: OpenAIException - The model `no-such-model` does not exist
"""
