"""Raw responses: headers beside what is parsed, a body that is read by hand, and streams of both kinds.

https://github.com/openai/openai-python#accessing-raw-response-data-eg-headers
"""

from openai import OpenAI

client = OpenAI()


def hello(name):
    return [{"role": "user", "content": f"Say hello to {name}."}]


raw = client.chat.completions.with_raw_response.create(model="gpt-5", messages=hello("Ada"))
print(raw.headers["x-request-id"], raw.parse().choices[0].message.content)

raw = client.chat.completions.with_raw_response.create(model="gpt-5", messages=hello("Bob"), stream=True)
for chunk in raw.parse():
    if chunk.choices:
        print(chunk.choices[0].delta.content or "", end="|")
print()

with client.responses.with_streaming_response.create(model="gpt-5", input="Say hello to Cy.") as streaming:
    print(streaming.status_code, len(list(streaming.iter_lines())) > 0)

with client.chat.completions.with_streaming_response.create(model="gpt-5", messages=hello("Dan")) as streaming:
    print(streaming.parse().choices[0].message.content)

with client.responses.stream(model="gpt-5", input="Say hello to Eve.") as stream:
    for event in stream:
        if event.type == "response.output_text.delta":
            print(event.delta, end="|")
    print(stream.get_final_response().status)

with client.chat.completions.stream(model="gpt-5", messages=hello("Flo")) as stream:
    for event in stream:
        if event.type == "content.delta":
            print(event.delta, end="|")
            if event.snapshot:
                break  # enough of it

NEEDS = ["openai>=1.92"]
MODEL = [
    "Hello Ada.",
    "Hello Bob.",
    "Hello Cy.",
    "Hello Dan.",
    "Hello Eve.",
    "Hello Flo, and everybody else.",
]
RECORD = """
session
  turn
    > Say hello to Ada.
    model gpt-5 10+2
    < Hello Ada.
session
  turn
    > Say hello to Bob.
    model gpt-5
    < Hello Bob.
session
  turn
    > Say hello to Cy.
    model gpt-5
session
  turn
    > Say hello to Dan.
    model gpt-5
session
  turn
    > Say hello to Eve.
    model gpt-5 10+2
    < Hello Eve.
session
  turn CANCELLED
    > Say hello to Flo.
    model gpt-5 CANCELLED
    < Hello
"""
