"""Questions to the query APIs of trace and log backends."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
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


def answers(url: str) -> bool:
    """Return whether there is something at a URL."""
    try:
        return get_json(url) is not None
    except EvidenceError:
        return False
