"""The list of models, which some runtimes look at before they ask one."""

from typing import Any

from support.model_server import openai_errors
from support.model_server.wire import Reply, Request, whole

no_more = openai_errors.no_more


def serves(request: Request) -> bool:
    """Return whether a request is for this protocol."""
    return request.method == "GET" and request.path.partition("?")[0].endswith("/models")


def reply(_conversation: Any, _request: Request) -> Reply:
    """Return one model."""
    return whole({"object": "list", "data": [{"id": "m", "object": "model", "created": 1, "owned_by": "us"}]})
