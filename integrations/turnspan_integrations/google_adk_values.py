"""What ADK's messages, events and answers say, in turnspan's words."""

from __future__ import annotations

from typing import Any

from turnspan.events import Usage
from turnspan_integrations.google_genai_values import message_of, plain, text_of, usage_of

_PROVIDERS = {"anthropic_llm": "anthropic", "apigee_llm": "apigee", "_openai_llm": "openai", "gemma_llm": "gcp.gemini"}
"""By the module of a model's class."""


def provider_of(model: Any, name: str | None, span: Any) -> str | None:
    """Return the value of ``gen_ai.provider.name`` for a model; None for one of the program's own."""
    for cls in type(model).__mro__:
        module = cls.__module__.rpartition(".")[2]
        if module == "google_llm":  # its span says which of Google's two services is asked
            attributes = getattr(span, "attributes", None) or {}
            said = attributes.get("gen_ai.provider.name") or attributes.get("gen_ai.system")
            return "gcp.vertex_ai" if "vertex" in str(said) else "gcp.gemini"
        if module == "lite_llm":
            return str(name).partition("/")[0] if "/" in str(name) else None
        if module in _PROVIDERS:
            return _PROVIDERS[module]
    return None


def prompt_of(content: Any) -> Any:
    """Return what a runner is asked; of one that goes on, what its questions were answered with."""
    if content is None or (text := text_of(content)):
        return "" if content is None else text
    answers = [part.function_response.response for part in content.parts or () if part.function_response is not None]
    return answers[0] if len(answers) == 1 else answers


def result_of(event: Any) -> Any:
    """Return what a tool said; what is no object comes in one."""
    parts = getattr(getattr(event, "content", None), "parts", None) or ()
    said = next((part.function_response.response for part in parts if part.function_response is not None), None)
    return said["result"] if isinstance(said, dict) and said.keys() == {"result"} else said


class Answer:
    """What a model, agent or runner says, event by event: pieces come before the whole that they are of."""

    def __init__(self) -> None:
        self.said: Any = None
        """The text of the last answer, or the object that was made of it."""
        self.model: str | None = None
        self.finish: list[str] = []
        self.error: tuple[str, str] | None = None
        self._contents: list[Any] = []
        self._pieces: list[str] = []
        self._used: Any = None

    def take(self, event: Any) -> None:
        """Take a response of a model, or an event that is made of one."""
        self.model = event.model_version or self.model
        self._used = event.usage_metadata or self._used
        if event.finish_reason is not None:
            self.finish = [str(event.finish_reason.value).lower()]
        if event.error_code:
            self.error = event.error_message or event.error_code, event.error_code
        text = text_of(event.content)
        if event.partial:
            self._pieces += [text] if text else []
            return
        self._pieces.clear()
        if event.content is not None and event.content.parts:
            self._contents.append(event.content)
        is_final = getattr(event, "is_final_response", None)
        if is_final is not None and is_final():
            output = getattr(event, "output", None)
            self.said = output if output is not None else text or self.said

    def is_whole(self) -> bool:
        """Return whether the model has answered: it says why it stopped, or asks for tools."""
        calls = any(part.function_call is not None for content in self._contents for part in content.parts)
        return bool(self._contents) and not self._pieces and (calls or bool(self.finish))

    def messages(self) -> list[Any]:
        """Return the messages of the answer, as far as it came."""
        found = [message_of(plain(content)).plain for content in self._contents]
        if self._pieces:
            found.append(message_of({"role": "model", "parts": [{"text": "".join(self._pieces)}]}).plain)
        return found

    def usage(self) -> Usage | None:
        """Return the tokens of the answer."""
        return None if self._used is None else usage_of(plain(self._used))
