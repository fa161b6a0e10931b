"""Images, audio and files as input: by reference, as data, in chat completions and in responses.

https://platform.openai.com/docs/guides/images-vision, https://platform.openai.com/docs/guides/audio
"""

import base64

from openai import OpenAI

PIXEL = "data:image/png;base64," + base64.b64encode(b"\x89PNG a very small picture").decode()
client = OpenAI()

messages = [
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "What is in these two?"},
            {"type": "image_url", "image_url": {"url": PIXEL, "detail": "low"}},
            {"type": "image_url", "image_url": {"url": "https://example.com/boardwalk.jpg"}},
        ],
    }
]
seen = client.chat.completions.create(model="gpt-5", messages=messages)
print(seen.choices[0].message.content)
messages += [seen.choices[0].message, {"role": "user", "content": "Which is bigger?"}]
print(client.chat.completions.create(model="gpt-5", messages=messages).choices[0].message.content)

heard = client.chat.completions.create(
    model="gpt-audio",
    messages=[
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is said here?"},
                {"type": "input_audio", "input_audio": {"data": base64.b64encode(b"RIFF").decode(), "format": "wav"}},
            ],
        }
    ],
)
print(heard.choices[0].message.content)

read = client.responses.create(
    model="gpt-5",
    input=[
        {
            "role": "user",
            "content": [
                {"type": "input_file", "file_id": "file-6F2ksmvXxt4VdoqmHRw6kL"},
                {"type": "input_text", "text": "What is the first dragon in the book?"},
            ],
        }
    ],
)
print(read.output_text)

NEEDS = ["openai>=1.66"]
MODEL = [
    "A pixel, and a boardwalk.",
    "The boardwalk.",
    {
        "text": "Someone says hello.",
        "usage": {"input_tokens": 30, "output_tokens": 5, "audio_input_tokens": 20, "audio_output_tokens": 0},
    },
    "Smaug.",
]
RECORD = """
session
  turn
    > What is in these two?
    model gpt-5 10+2
    < A pixel, and a boardwalk.
  turn
    > Which is bigger?
    model gpt-5 10+2
    < The boardwalk.
session
  turn
    > What is said here?
    model gpt-audio 30+5 audio_input 20
    < Someone says hello.
session
  turn
    > What is the first dragon in the book?
    model gpt-5 10+2
    < Smaug.
"""
