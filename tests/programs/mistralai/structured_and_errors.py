"""Structured output through the client's helper, an agent that is kept at the provider, and a request it does not accept.

https://docs.mistral.ai/capabilities/structured_output/custom_structured_output
"""

import os

from mistralai.client import Mistral
from mistralai.client.errors import SDKError
from pydantic import BaseModel


class Book(BaseModel):
    name: str
    authors: list[str]


client = Mistral(api_key=os.environ["MISTRAL_API_KEY"], server_url=os.environ["MISTRAL_SERVER_URL"])
asked = [{"role": "user", "content": "I recently read To Kill a Mockingbird by Harper Lee."}]
print(client.chat.parse(model="ministral-8b-latest", messages=asked, response_format=Book).choices[0].message.parsed)
done = client.agents.complete(agent_id="ag_books", messages=[{"role": "user", "content": "Another one?"}])
print(done.choices[0].message.content)
try:
    client.chat.complete(model="no-such-model", messages=[{"role": "user", "content": "Hi"}])
except SDKError as error:
    print("Error:", error.status_code)

NEEDS = ["mistralai>=3.0", "pydantic>=2"]
MODEL = [
    '{"name": "To Kill a Mockingbird", "authors": ["Harper Lee"]}',
    "Go Set a Watchman.",
    {"status": 400, "message": "Invalid model: no-such-model"},
]
RECORD = """
session
  turn
    > Another one?
    model ag_books 10+2
    < Go Set a Watchman.
session
  turn
    > I recently read To Kill a Mockingbird by Harper Lee.
    model ministral-8b-latest 10+2
    < {"name": "To Kill a Mockingbird", "authors": ["Harper Lee"]}
session
  turn ERROR API error occurred: Status 400. Body: {"error": {"message": "Invalid model: no-such-model", "type": "invalid_request_error", "param": null, "code": null}}
    > Hi
    model no-such-model ERROR API error occurred: Status 400. Body: {"error": {"message": "Invalid model: no-such-model", "type": "invalid_request_error", "param": null, "code": null}}
"""
