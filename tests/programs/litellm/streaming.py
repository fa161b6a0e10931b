"""Streams: printed as they come, put together by the helper, and asynchronous; one conversation.

https://docs.litellm.ai/docs/completion/stream
"""

import asyncio

import litellm

messages = [{"role": "system", "content": "You are a poet."}]
asked = {"model": "openai/gpt-4o", "stream": True, "stream_options": {"include_usage": True}, "max_retries": 0}


def ask(prompt):
    messages.append({"role": "user", "content": prompt})
    chunks = []
    for chunk in litellm.completion(messages=messages, **asked):
        if chunk.choices:  # the last one has the usage
            print(chunk.choices[0].delta.content or "", end="")
        chunks.append(chunk)
    print()
    messages.append(litellm.stream_chunk_builder(chunks, messages=messages).choices[0].message)


async def ask_again(prompt):
    messages.append({"role": "user", "content": prompt})
    async for chunk in await litellm.acompletion(messages=messages, **asked):
        if chunk.choices:  # the last one has the usage
            print(chunk.choices[0].delta.content or "", end="")
    print()


ask("One line about rain.")
asyncio.run(ask_again("And about snow."))

NEEDS = ["litellm>=1.110.2"]
MODEL = ["It falls and falls.", "It is so quiet."]
RECORD = """
session
  turn
    > One line about rain.
    model gpt-4o 10+2
    < It falls and falls.
  turn
    > And about snow.
    model gpt-4o 10+2
    < It is so quiet.
"""
