"""Structured output: a Pydantic model as the answer, whole and streamed, and a document that is cited.

https://platform.claude.com/docs/en/build-with-claude/structured-outputs
"""

from anthropic import Anthropic
from pydantic import BaseModel


class Order(BaseModel):
    product: str
    price: float
    quantity: int


client = Anthropic()
ASKED = {"model": "claude-sonnet-4-5", "max_tokens": 1024, "output_format": Order}
parsed = client.messages.parse(messages=[{"role": "user", "content": "Two green teas, 3.50 each"}], **ASKED)
print(parsed.parsed_output)

with client.messages.stream(messages=[{"role": "user", "content": "One coffee for 2"}], **ASKED) as stream:
    for _ in stream:
        pass
print(stream.get_final_message().parsed_output)

document = {"type": "text", "media_type": "text/plain", "data": "The grass is green."}
cited = client.messages.create(
    model="claude-sonnet-4-5",
    max_tokens=1024,
    messages=[
        {
            "role": "user",
            "content": [
                {"type": "document", "source": document, "citations": {"enabled": True}},
                {"type": "text", "text": "What colour is the grass?"},
            ],
        }
    ],
)
print(cited.content[0].citations[0].cited_text)

NEEDS = ["anthropic>=1.0"]
MODEL = [
    '{"product": "green tea", "price": 3.5, "quantity": 2}',
    '{"product": "coffee", "price": 2, "quantity": 1}',
    {
        "items": [
            {
                "type": "text",
                "text": "Green.",
                "citations": [
                    {
                        "type": "char_location",
                        "cited_text": "The grass is green.",
                        "document_index": 0,
                        "document_title": None,
                        "start_char_index": 0,
                        "end_char_index": 19,
                        "file_id": None,
                    }
                ],
            }
        ]
    },
]
RECORD = """
session
  turn
    > One coffee for 2
    model claude-sonnet-4-5 10+2
    < {"product": "coffee", "price": 2, "quantity": 1}
session
  turn
    > Two green teas, 3.50 each
    model claude-sonnet-4-5 10+2
    < {"product": "green tea", "price": 3.5, "quantity": 2}
session
  turn
    > What colour is the grass?
    model claude-sonnet-4-5 10+2
    < Green.
"""
