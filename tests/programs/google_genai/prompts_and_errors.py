"""Prompts alone: a text, structured output, an image, a stream; and a model that is not there.

https://github.com/googleapis/python-genai
"""

from google import genai
from google.genai import errors, types
from pydantic import BaseModel


class CountryInfo(BaseModel):
    name: str
    population: int


client = genai.Client()
print(client.models.generate_content(model="gemini-2.5-flash", contents="Why is the sky blue?").text)
response = client.models.generate_content(
    model="gemini-2.5-flash",
    contents="Give me information for the United States.",
    config={"response_mime_type": "application/json", "response_schema": CountryInfo},
)
print(response.parsed)
image = types.Part.from_bytes(data=b"\x89PNG", mime_type="image/png")
for chunk in client.models.generate_content_stream(model="gemini-2.5-flash", contents=["What is this?", image]):
    print(chunk.text, end="")
print()
try:
    client.models.generate_content(model="no-such-model", contents="Hi")
except errors.APIError as error:
    print(error.code, error.message)
client.close()

NEEDS = ["google-genai>=1.50", "pydantic>=2"]
MODEL = [
    {
        "text": "Blue light is scattered most.",
        "usage": {"input_tokens": 7, "output_tokens": 300, "reasoning_tokens": 290},
    },
    '{"name": "United States", "population": 331000000}',
    "A very small image.",
    {"status": 404, "message": "models/no-such-model is not found"},
]
RECORD = """
session
  turn
    > Give me information for the United States.
    model gemini-2.5-flash 10+2
    < {"name": "United States", "population": 331000000}
session
  turn
    > What is this?
    model gemini-2.5-flash 10+2
    < A very small image.
session
  turn
    > Why is the sky blue?
    model gemini-2.5-flash 7+300 reasoning 290
    < Blue light is scattered most.
session
  turn ERROR 404 NOT_FOUND. {'error': {'code': 404, 'message': 'models/no-such-model is not found', 'status': 'NOT_FOUND'}}
    > Hi
    model no-such-model ERROR 404 NOT_FOUND. {'error': {'code': 404, 'message': 'models/no-such-model is not found', 'status': 'NOT_FOUND'}}
"""
