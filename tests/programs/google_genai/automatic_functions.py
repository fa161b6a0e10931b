"""Functions that the client calls by itself, in a chat; the second question goes on with the first.

https://ai.google.dev/gemini-api/docs/function-calling#automatic_function_calling_python_only
"""

from google import genai
from google.genai import types


def get_current_temperature(location: str) -> dict:
    """Gets the current temperature for a given location.

    Args:
        location: The city and state, e.g. San Francisco, CA

    Returns:
        A dictionary containing the temperature and unit.
    """
    return {"temperature": 25, "unit": "Celsius"}


client = genai.Client()
config = types.GenerateContentConfig(tools=[get_current_temperature], system_instruction="You know the weather.")
chat = client.chats.create(model="gemini-2.5-flash", config=config)
response = chat.send_message("What's the temperature in Boston?")
print(response.text, response.usage_metadata.total_token_count)
print(chat.send_message("Thank you.").text)
client.close()

NEEDS = ["google-genai>=1.50"]
MODEL = [
    {
        "tool_calls": [("get_current_temperature", {"location": "Boston"})],
        "usage": {"input_tokens": 80, "output_tokens": 50, "reasoning_tokens": 40},
    },
    {"text": "It is 25 degrees in Boston.", "usage": {"input_tokens": 150, "output_tokens": 10, "cached_tokens": 64}},
    "You are welcome.",
]
RECORD = """
session
  turn
    > What's the temperature in Boston?
    model gemini-2.5-flash 80+50 reasoning 40
    tool get_current_temperature(location=Boston) = {"temperature": 25, "unit": "Celsius"}
    model gemini-2.5-flash 150+10 cache_read 64
    < It is 25 degrees in Boston.
  turn
    > Thank you.
    model gemini-2.5-flash 10+2
    < You are welcome.
"""
