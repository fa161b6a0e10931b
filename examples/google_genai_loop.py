"""A handwritten loop over the ``google-genai`` client that knows nothing of turnspan: two turns, two tools, one failing.

turnspan run examples/google_genai_loop.py      # pip install google-genai
"""

import httpx
from google import genai
from google.genai import types

SCRIPT = [
    ("Hello! How can I help?", []),
    ("", ["find_invoice", "refund"]),
    ("You paid twice. The bank is down, I will refund you tomorrow.", []),
]


def server(_request: httpx.Request) -> httpx.Response:
    """Answer from the script; what Google would do over the network."""
    text, calls = SCRIPT.pop(0)
    parts = [{"functionCall": {"name": name, "args": {"number": "7"}}} for name in calls] or [{"text": text}]
    candidate = {"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}
    used = {"promptTokenCount": 120, "candidatesTokenCount": 18, "totalTokenCount": 138}
    return httpx.Response(
        200, json={"candidates": [candidate], "usageMetadata": used, "modelVersion": "gemini-2.5-flash"}
    )


def find_invoice(number: str) -> str:
    return f"invoice {number}: 42.00 EUR, paid twice"


def refund(number: str) -> str:
    raise ConnectionError(f"the bank did not answer for {number}")


http = types.HttpOptions(client_args={"transport": httpx.MockTransport(server)})
client = genai.Client(api_key="none", vertexai=False, http_options=http)
config = types.GenerateContentConfig(system_instruction="Help with invoices.")
contents = []
for prompt in ("Hi", "I paid invoice 7 twice"):
    contents.append(types.Content(role="user", parts=[types.Part.from_text(text=prompt)]))
    while True:
        answer = client.models.generate_content(model="gemini-2.5-flash", contents=contents, config=config)
        contents.append(answer.candidates[0].content)
        if not answer.function_calls:
            break
        results = []
        for call in answer.function_calls:
            try:
                result = globals()[call.name](**call.args)
            except ConnectionError as error:
                result = f"Error: {error}"
            results.append(types.Part.from_function_response(name=call.name, response={"result": result}))
        contents.append(types.Content(role="user", parts=results))
    print(answer.text)
