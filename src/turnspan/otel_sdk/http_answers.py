"""What endpoints may answer: exporters read whatever comes, and take a redirect, which they do not follow, for a success."""

from __future__ import annotations

import io
import os
from typing import Any

_ANSWER_BYTES = 64 * 1024
"""The longest answer that is read. One that says what it refused is short; the collector's are some bytes."""


def careful_session() -> Any:
    """Return a ``requests.Session`` for an exporter; None where the exporter makes one of its own, as a variable says."""
    if any(name.startswith("OTEL_PYTHON_EXPORTER_OTLP_HTTP") and name.endswith("PROVIDER") for name in os.environ):
        return None
    import requests

    def look(answer: requests.Response, **_: Any) -> requests.Response:
        if 300 <= answer.status_code < 400:
            answer.close()
            raise requests.RequestException(f"it answers with a redirect, {answer.status_code}")
        return answer if _is_short(answer.headers) else unread(answer)

    def unread(answer: requests.Response) -> requests.Response:
        answer.close()
        without = requests.Response()
        without.status_code, without.reason, without.headers = answer.status_code, answer.reason, answer.headers
        without.url, without.request, without.raw = answer.url, answer.request, io.BytesIO()
        return without

    session = requests.Session()
    session.hooks["response"].append(look)
    return session


def _is_short(headers: Any) -> bool:
    """Return whether an answer says that it is short, which cannot be seen of what comes in chunks."""
    length = headers.get("Content-Length", "")
    return length.isdecimal() and int(length) <= _ANSWER_BYTES and "Content-Encoding" not in headers
