"""Two functions at once, called by hand, and answers that are streamed, with thoughts, on the asynchronous client.

https://ai.google.dev/gemini-api/docs/function-calling#parallel_function_calling
"""

import asyncio

from google import genai
from google.genai import types

PARTY = types.Tool(
    function_declarations=[
        {"name": "power_disco_ball", "parameters": {"type": "object", "properties": {"power": {"type": "boolean"}}}},
        {"name": "dim_lights", "parameters": {"type": "object", "properties": {"brightness": {"type": "number"}}}},
    ]
)
FUNCTIONS = {
    "power_disco_ball": lambda power: {"status": f"Disco ball powered {'on' if power else 'off'}"},
    "dim_lights": lambda brightness: {"brightness": brightness},
}


async def main():
    client = genai.Client().aio
    config = types.GenerateContentConfig(
        tools=[PARTY],
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        thinking_config=types.ThinkingConfig(include_thoughts=True),
    )
    contents = [types.Content(role="user", parts=[types.Part(text="Turn this place into a party!")])]
    while True:
        parts = []
        async for chunk in await client.models.generate_content_stream(
            model="gemini-2.5-flash", contents=contents, config=config
        ):
            for part in chunk.candidates[0].content.parts or []:
                print("thinks:" if part.thought else "says:", part.text or part.function_call.name)
                parts.append(part)
        contents.append(types.Content(role="model", parts=parts))
        calls = [part.function_call for part in parts if part.function_call]
        if not calls:
            break
        answers = [
            types.Part.from_function_response(name=call.name, response={"result": FUNCTIONS[call.name](**call.args)})
            for call in calls
        ]
        contents.append(types.Content(role="user", parts=answers))
    await client.aclose()


asyncio.run(main())

NEEDS = ["google-genai>=1.50"]
MODEL = [
    {
        "thinking": "A party needs light.",
        "tool_calls": [("power_disco_ball", {"power": True}), ("dim_lights", {"brightness": 0.5})],
    },
    {"text": "The party is on.", "usage": {"input_tokens": 210, "output_tokens": 9}},
]
RECORD = """
session
  turn
    > Turn this place into a party!
    model gemini-2.5-flash 10+2
    tool dim_lights(brightness=0.5) = {"brightness": 0.5}
    tool power_disco_ball(power=true) = {"status": "Disco ball powered on"}
    model gemini-2.5-flash 210+9
    < The party is on.
"""
