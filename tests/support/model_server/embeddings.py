"""Embeddings: those of OpenAI depend on each text's length alone; others are what the script says, as their providers do."""

import base64
import struct
from typing import Any

from support.model_server import openai_errors
from support.model_server.wire import Reply, Request, whole

_OTHERS = ("/api/embed", ":embedContent", ":batchEmbedContents", ":predict")


def serves(request: Request) -> bool:
    """Return whether a request is for this protocol."""
    path = request.path.partition("?")[0]
    return request.method == "POST" and path.endswith(("/embeddings", *_OTHERS))


no_more = openai_errors.no_more


def reply(conversation: Any, request: Request) -> Reply:
    """Return what the script says, or a vector for each input."""
    if conversation.script and isinstance(conversation.script[0], Reply):
        said: Reply = conversation.next()[0]
        return said
    asked = request.json
    inputs = asked["input"] if isinstance(asked["input"], list) else [asked["input"]]
    if inputs and isinstance(inputs[0], int):  # one text, in tokens
        inputs = [inputs]
    data = [
        {"object": "embedding", "index": n, "embedding": _vector(text, asked.get("encoding_format"))}
        for n, text in enumerate(inputs)
    ]
    used = sum(len(text) for text in inputs)
    usage = {"prompt_tokens": used, "total_tokens": used}
    return whole({"object": "list", "data": data, "model": asked["model"], "usage": usage})


def _vector(text: Any, encoding: str | None) -> Any:
    values = [float(len(text)), 0.5, -0.5]
    return base64.b64encode(struct.pack("<3f", *values)).decode() if encoding == "base64" else values
