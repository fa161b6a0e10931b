"""A handwritten loop over the ``ollama`` client that knows nothing of turnspan: two turns, two tools, one failing.

turnspan run examples/ollama_loop.py      # pip install ollama
"""

import httpx
import ollama

SCRIPT = [
    ("Hello! How can I help?", []),
    ("", ["find_invoice", "refund"]),
    ("You paid twice. The bank is down, I will refund you tomorrow.", []),
]


def server(_request: httpx.Request) -> httpx.Response:
    """Answer from the script; what an Ollama server would do."""
    text, calls = SCRIPT.pop(0)
    message = {"role": "assistant", "content": text}
    if calls:
        message["tool_calls"] = [{"function": {"name": name, "arguments": {"number": "7"}}} for name in calls]
    counts = {"prompt_eval_count": 120, "eval_count": 18}
    return httpx.Response(
        200, json={"model": "qwen3", "message": message, "done": True, "done_reason": "stop", **counts}
    )


def find_invoice(number: str) -> str:
    return f"invoice {number}: 42.00 EUR, paid twice"


def refund(number: str) -> str:
    raise ConnectionError(f"the bank did not answer for {number}")


client = ollama.Client(transport=httpx.MockTransport(server))
messages = [{"role": "system", "content": "Help with invoices."}]
for prompt in ("Hi", "I paid invoice 7 twice"):
    messages.append({"role": "user", "content": prompt})
    while True:
        answer = client.chat("qwen3", messages, tools=[find_invoice, refund]).message
        messages.append(answer)
        if not answer.tool_calls:
            break
        for call in answer.tool_calls:
            try:
                result = globals()[call.function.name](**call.function.arguments)
            except ConnectionError as error:
                result = f"Error: {error}"
            messages.append({"role": "tool", "tool_name": call.function.name, "content": result})
    print(answer.content)
