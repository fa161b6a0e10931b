"""A scripted model server: real clients, real connections, and answers as data.

with ModelServer() as server:
    asked = server.play(["hello"], key="one")
    openai.OpenAI(base_url=server.url + "/v1", api_key="one").chat.completions.create(...)
    assert asked.requests[0].json["messages"] == ...
"""

from support.model_server.script import (
    Answer,
    Background,
    Disconnect,
    HostedTool,
    HttpError,
    Shape,
    Step,
    StreamError,
    ToolCall,
    Usage,
)
from support.model_server.server import Conversation, ModelServer
from support.model_server.wire import Cut, Reply, Request

__all__ = [
    "Answer",
    "Background",
    "Conversation",
    "Cut",
    "Disconnect",
    "HostedTool",
    "HttpError",
    "ModelServer",
    "Reply",
    "Request",
    "Shape",
    "Step",
    "StreamError",
    "ToolCall",
    "Usage",
]
