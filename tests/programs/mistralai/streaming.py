"""A chat that is streamed, on the asynchronous client; the second question goes on with the first.

https://docs.mistral.ai/capabilities/completion/usage
"""

import asyncio
import os

from mistralai.client import Mistral

client = Mistral(api_key=os.environ["MISTRAL_API_KEY"], server_url=os.environ["MISTRAL_SERVER_URL"])
messages = [{"role": "system", "content": "Answer briefly."}]


async def ask(prompt):
    messages.append({"role": "user", "content": prompt})
    text = ""
    response = await client.chat.stream_async(model="mistral-small-latest", messages=messages)
    async for event in response:
        if piece := event.data.choices[0].delta.content:
            print(piece, end="", flush=True)
            text += piece
    print()
    messages.append({"role": "assistant", "content": text})


async def main():
    await ask("Who painted the Mona Lisa?")
    await ask("When?")


asyncio.run(main())

NEEDS = ["mistralai>=3.0"]
MODEL = ["Leonardo da Vinci.", "From 1503 on."]
RECORD = """
session
  turn
    > Who painted the Mona Lisa?
    model mistral-small-latest 10+2
    < Leonardo da Vinci.
  turn
    > When?
    model mistral-small-latest 10+2
    < From 1503 on.
"""
