"""Deep research: an answer that is made in the background, of tools that run at the provider, asked for until it is there.

https://platform.openai.com/docs/guides/background, https://platform.openai.com/docs/guides/deep-research
"""

from time import sleep

from openai import OpenAI

client = OpenAI()
response = client.responses.create(
    model="o4-mini-deep-research",
    input="What did the otter study find?",
    background=True,
    tools=[
        {"type": "web_search"},
        {"type": "mcp", "server_label": "docs", "server_url": "https://example.com", "require_approval": "never"},
    ],
)
print(response.status)
while response.status in ("queued", "in_progress"):
    sleep(0.01)
    response = client.responses.retrieve(response.id)
    print(response.status)
print(response.output_text)

response = client.responses.create(
    model="gpt-5", previous_response_id=response.id, input="Write a novel about it.", background=True
)
print(client.responses.cancel(response.id).status)

NEEDS = ["openai>=1.108"]
MODEL = [
    {
        "polls": 2,
        "hosted": [
            {"name": "web_search", "arguments": {"type": "search", "query": "otter study"}, "call_id": "ws_1"},
            {
                "name": "mcp",
                "arguments": {"q": "otters"},
                "function": "search_docs",
                "result": "two pages",
                "call_id": "m_1",
            },
        ],
        "text": "Otters hold hands.",
        "usage": {"input_tokens": 900, "output_tokens": 40, "cached_tokens": 100, "reasoning_tokens": 12},
    },
    {"polls": 5, "text": "Once upon a time"},
]
RECORD = """
session
  turn
    > What did the otter study find?
    model o4-mini-deep-research 900+40 cache_read 100 reasoning 12
    tool web_search(type=search, queries=["otter study"], query=otter study)
    tool search_docs(q=otters) = two pages
    < Otters hold hands.
  turn CANCELLED cancelled at the provider
    > Write a novel about it.
    model gpt-5 CANCELLED cancelled at the provider
"""
