"""The real clients of a model server; the caller closes them."""

import ssl
from typing import Any

TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Never used: each client would load all certificates, which costs ten times what a request does."""


def openai_client(server: Any, key: str = "script", *, asynchronous: bool = False, **more: Any) -> Any:
    """Return OpenAI's client."""
    import openai

    where = {"base_url": server.url + "/v1", "api_key": key, "max_retries": 0, **more}
    if asynchronous:
        return openai.AsyncOpenAI(http_client=openai.DefaultAsyncHttpxClient(verify=TLS), **where)
    return openai.OpenAI(http_client=openai.DefaultHttpxClient(verify=TLS), **where)


def anthropic_client(server: Any, key: str = "script", *, asynchronous: bool = False, **more: Any) -> Any:
    """Return Anthropic's client."""
    import anthropic

    where = {"base_url": server.url, "api_key": key, "max_retries": 0, **more}
    if asynchronous:
        return anthropic.AsyncAnthropic(http_client=anthropic.DefaultAsyncHttpxClient(verify=TLS), **where)
    return anthropic.Anthropic(http_client=anthropic.DefaultHttpxClient(verify=TLS), **where)
