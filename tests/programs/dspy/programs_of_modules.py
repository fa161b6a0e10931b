"""A program of modules that is called side by side, one of which is an agent; an answer that has to be asked for again.

https://dspy.ai/learn/programming/modules/ and https://dspy.ai/api/modules/Parallel/
"""

import os

import dspy

dspy.configure_cache(enable_disk_cache=False, enable_memory_cache=False)
dspy.configure(lm=dspy.LM("openai/gpt-4o-mini", api_base=os.environ["OPENAI_BASE_URL"], cache=False, num_retries=0))


class Outline(dspy.Signature):
    """Outline an article."""

    topic: str = dspy.InputField()
    title: str = dspy.OutputField()
    sections: list[str] = dspy.OutputField()


def look_up(word: str) -> str:
    """Look a word up."""
    return f"{word}: see elsewhere"


class Editor(dspy.Module):
    def __init__(self) -> None:
        super().__init__()
        self.check = dspy.ChainOfThought("text -> correct: bool")

    def forward(self, text: str) -> dspy.Prediction:
        look_up_tool = dspy.Tool(look_up)
        return self.check(text=f"{text} {look_up_tool(word=text.partition(' ')[0])}")


class DraftArticle(dspy.Module):
    def __init__(self) -> None:
        super().__init__()
        self.outline = dspy.ChainOfThought(Outline)
        self.section = dspy.Predict("title, section -> content")
        self.editor = Editor()

    def forward(self, topic: str) -> dspy.Prediction:
        outline = self.outline(topic=topic)
        parallel = dspy.Parallel(num_threads=2, disable_progress_bar=True)
        written = parallel([(self.section, {"title": outline.title, "section": one}) for one in outline.sections])
        correct = self.editor(text=written[0].content).correct
        return dspy.Prediction(title=outline.title, content=[one.content for one in written], correct=correct)


article = DraftArticle()(topic="Water")
print(article.title, article.content, article.correct)
try:
    dspy.Predict("question -> answer")(question="Does it work?")
except Exception as error:
    print(type(error).__name__)


NEEDS = ["dspy>=3.4.1"]
MODEL = {
    "Outline an article": [
        "I would rather write about fire.",
        '{"reasoning": "Simple.", "title": "On Water", "sections": ["Rivers", "Seas"]}',
    ],
    "Rivers\\n": ["[[ ## content ## ]]\nRivers flow.\n[[ ## completed ## ]]"],
    "Seas\\n": ["[[ ## content ## ]]\nSeas do not.\n[[ ## completed ## ]]"],
    "see elsewhere": ["[[ ## reasoning ## ]]\nRight.\n[[ ## correct ## ]]\nTrue\n[[ ## completed ## ]]"],
    "Does it work": [{"status": 401, "message": "no"}],
}
RECORD = r"""
session
  turn DraftArticle
    > Water
    model gpt-4o-mini 10+2
    note retry {"of": "model", "attempt": 2, "error": "Adapter ChatAdapter failed to parse the LM response. \n\nLM Response: I would rather write about fire. \n\nExpected to find output fields in the LM response: [reasoning, title, sections] \n\nActual output fields parsed from the LM response: [] \n\n"}
    model gpt-4o-mini 10+2
    model gpt-4o-mini 10+2
    model gpt-4o-mini 10+2
    agent Editor
      tool look_up(word=Rivers) = Rivers: see elsewhere
      model gpt-4o-mini 10+2
    < {"title":"On Water","content":["Rivers flow.","Seas do not."],"correct":true}
session
  turn Predict ERROR [gpt-4o-mini] litellm.AuthenticationError: AuthenticationError: OpenAIException - no

  To fix:
    - Check that your API key is correct and not expired
    - Pass the key explicitly (api_key, or RouterConfig api_keys)
    - Verify your openai account/project has access
    > Does it work?
    model gpt-4o-mini ERROR [gpt-4o-mini] litellm.AuthenticationError: AuthenticationError: OpenAIException - no

  To fix:
    - Check that your API key is correct and not expired
    - Pass the key explicitly (api_key, or RouterConfig api_keys)
    - Verify your openai account/project has access
"""
