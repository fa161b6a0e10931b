"""A conversation that is streamed, with the model's thinking, on an asynchronous client.

https://docs.ollama.com/capabilities/streaming
"""

import asyncio

from ollama import AsyncClient

messages = []


async def ask(prompt):
    messages.append({"role": "user", "content": prompt})
    thinking = content = ""
    async for chunk in await AsyncClient().chat(model="qwen3", messages=messages, think=True, stream=True):
        if chunk.message.thinking:
            print(chunk.message.thinking, end="", flush=True)
            thinking += chunk.message.thinking
        if chunk.message.content:
            print(chunk.message.content, end="", flush=True)
            content += chunk.message.content
    print()
    messages.append({"role": "assistant", "thinking": thinking, "content": content})


async def main():
    await ask("What is 17 * 23?")
    await ask("And twice that?")


asyncio.run(main())

NEEDS = ["ollama>=0.5"]
MODEL = [{"thinking": "17 times 20, and 3 times 17.", "text": "It is 391."}, "That is 782."]
RECORD = """
session
  turn
    > What is 17 * 23?
    model qwen3 10+2
    < It is 391.
  turn
    > And twice that?
    model qwen3 10+2
    < That is 782.
"""
