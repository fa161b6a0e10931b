"""Questions to the query APIs of trace and log backends, and requests of OTLP that no exporter sends."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from turnspan.errors import EvidenceError

TIMEOUT_S = 30.0


def get_json(url: str) -> Any:
    """Return the JSON that a URL has; None where it has nothing (404).

    Raises:
        EvidenceError: When it does not answer, or not with JSON.

    """
    request = urllib.request.Request(url, headers={"Accept": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError as error:
        error.close()  # it is the answer, too
        if error.code == 404:
            return None
        raise EvidenceError(f"{url} answers {error.code}: is this the query API of Jaeger, Tempo or Loki?") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise EvidenceError(
            f"{url} cannot be read ({error}): is this the query API of Jaeger, Tempo or Loki?"
        ) from error


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Takes a redirect for the error that it is: exporters do not follow it, and it has no body where it leads."""

    def redirect_request(self, *_: object) -> None:
        return None


def post(url: str, body: bytes, headers: Mapping[str, str], timeout_s: float) -> str | int | None:
    """Send a request; return None where it was taken, the status where it was not, and why where nobody answers."""
    request = urllib.request.Request(url, body, dict(headers))  # noqa: S310
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=timeout_s):
            return None
    except urllib.error.HTTPError as error:
        error.close()  # it is the answer, too
        return error.code
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__


def answers(url: str) -> bool:
    """Return whether there is something at a URL."""
    try:
        return get_json(url) is not None
    except EvidenceError:
        return False
