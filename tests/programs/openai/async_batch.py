"""A batch of coroutines: few at a time, one answer comes after a retry, one question is refused, one takes too long.

https://github.com/openai/openai-python#async-usage
"""

import asyncio

import openai
from openai import AsyncOpenAI

client = AsyncOpenAI(max_retries=2)
QUESTIONS = ["capital of France", "capital of Peru", "capital of Mali", "capital of Atlantis", "capital of the moon"]


async def ask(question: str, gate: asyncio.Semaphore) -> str:
    async with gate:
        try:
            quick = client.with_options(timeout=1, max_retries=0) if "moon" in question else client
            done = await quick.chat.completions.create(
                model="gpt-5", messages=[{"role": "user", "content": f"What is the {question}?"}]
            )
        except openai.BadRequestError as refused:
            return f"{type(refused).__name__}: {refused.body['message']}"
        except openai.APITimeoutError as late:
            return f"{type(late).__name__}"
        return done.choices[0].message.content


async def main() -> None:
    gate = asyncio.Semaphore(3)
    for question, answer in zip(QUESTIONS, await asyncio.gather(*(ask(q, gate) for q in QUESTIONS)), strict=True):
        print(f"{question}: {answer}")
    await client.close()


asyncio.run(main())

NEEDS = ["openai>=3"]
MODEL = {
    "France": ["Paris"],
    "Peru": [{"status": 429, "message": "slow down", "retry_after_s": 0.01}, "Lima"],
    "Mali": [{"text": "Bamako", "usage": {"input_tokens": 12, "output_tokens": 3, "reasoning_tokens": 2}}],
    "Atlantis": [{"status": 400, "message": "no such place"}],
    "moon": [{"text": "none", "delay_s": 3}],
}
RECORD = """
session
  turn
    > What is the capital of France?
    model gpt-5 10+2
    < Paris
session
  turn
    > What is the capital of Mali?
    model gpt-5 12+3 reasoning 2
    < Bamako
session
  turn
    > What is the capital of Peru?
    model gpt-5 10+2
    < Lima
session
  turn ERROR Error code: 400 - no such place
    > What is the capital of Atlantis?
    model gpt-5 ERROR Error code: 400 - no such place
session
  turn ERROR Request timed out.
    > What is the capital of the moon?
    model gpt-5 ERROR Request timed out.
"""
