"""Many questions at once: one is tried again when the provider is overloaded, one breaks in its stream, one is refused.

https://github.com/anthropics/anthropic-sdk-python#handling-errors
"""

import asyncio

import anthropic
from anthropic import AsyncAnthropic

client = AsyncAnthropic(max_retries=1)


async def ask(city: str) -> str:
    said = ""
    try:
        async with client.messages.stream(
            model="claude-haiku-4-5", max_tokens=64, messages=[{"role": "user", "content": f"Where is {city}?"}]
        ) as stream:
            async for text in stream.text_stream:
                said += text
    except anthropic.APIStatusError as error:
        return f"{said!r} and then {type(error).__name__} {error.status_code}"
    return said


async def main() -> None:
    cities = ["Lima", "Oslo", "Rome", "Troy"]
    async with client:
        for city, where in zip(cities, await asyncio.gather(*map(ask, cities)), strict=True):
            print(city, where)


asyncio.run(main())

NEEDS = ["anthropic>=0.40"]
MODEL = {
    "Lima": ["In Peru."],
    "Oslo": [{"status": 529, "message": "Overloaded", "retry_after_s": 0.01}, "In Norway."],
    "Rome": [{"text": "In Italy, I", "breaks": {"message": "Overloaded", "type": "overloaded_error"}}],
    "Troy": [{"status": 400, "message": "no such place"}],
}
RECORD = """
session
  turn
    > Where is Lima?
    model claude-haiku-4-5 10+2
    < In Peru.
session
  turn
    > Where is Oslo?
    model claude-haiku-4-5 10+2
    < In Norway.
session
  turn ERROR Error code: 400 - {'type': 'error', 'error': {'type': 'invalid_request_error', 'message': 'no such place'}, 'request_id': 'req_error'}
    > Where is Troy?
    model claude-haiku-4-5 ERROR Error code: 400 - {'type': 'error', 'error': {'type': 'invalid_request_error', 'message': 'no such place'}, 'request_id': 'req_error'}
session
  turn ERROR {'type': 'error', 'error': {'type': 'overloaded_error', 'message': 'Overloaded'}}
    > Where is Rome?
    model claude-haiku-4-5 10+1 ERROR {'type': 'error', 'error': {'type': 'overloaded_error', 'message': 'Overloaded'}}
    < In Italy, I
"""
