"""Who may ask for a page: this machine's own browser, or whoever has the token.

Without a token the server listens on loopback only, and then any site that the user visits could still send requests to
it: under a name of its own that resolves to loopback (so ``Host`` is checked), or from its own pages (so ``Origin`` and
``Sec-Fetch-Site`` are). No request changes anything, so only GET and HEAD are known.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response

from turnspan.model.inert import inert

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
"""The names of this machine, as a browser sends them."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""What a page may load and do: its own script and style, and nothing of anybody else."""
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    '<meta name="color-scheme" content="light dark"><title>{title} · turnspan</title><h1>{title}</h1><p>{says}</p></html>'
)
"""A page without style or script: who is refused is given neither."""
_TITLES = {
    401: "A token is needed",
    403: "Not for other sites",
    405: "Nothing is changed here",
    421: "Not under this name",
}


class Refusal(NamedTuple):
    """Why a request is not answered."""

    status: int
    says: str
    headers: dict[str, str] | None = None

    def answer(self, as_page: bool) -> Response:
        """Return it as a page for a browser, as text for a program."""
        if not as_page:
            return Response(self.says, self.status, self.headers, media_type="text/plain")
        page = _PAGE.format(title=_TITLES[self.status], says=escape(inert(self.says)))
        return Response(page, self.status, self.headers, media_type="text/html")


class Guard:
    """Lets requests through that may read, and gives every answer its headers.

    Args:
        app: What answers.
        token: What a request must carry, as a bearer token or as a browser's password; None on loopback.
        hosts: The names under which the server may be asked besides those of this machine; ``*`` with a token.

    """

    def __init__(self, app: ASGIApp, *, token: str | None = None, hosts: Iterable[str] = ()) -> None:
        self._app, self._token = app, token
        self._hosts = {*LOOPBACK, *hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or say why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # ids are quoted whole, and a slash in one is not a step of the path
        scope = {**scope, "path": scope.get("raw_path", scope["path"].encode()).decode("latin-1")}

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        headers = Headers(scope=scope)
        refused = self._refusal(scope["method"], headers)
        answer = self._app if refused is None else refused.answer("text/html" in headers.get("accept", ""))
        await answer(scope, receive, send_guarded)

    def _refusal(self, method: str, headers: Headers) -> Refusal | None:
        host = headers.get("host", "")
        if not self._knows(host):
            return Refusal(
                421, f"This server is not asked under the name {host!r}: open it under 127.0.0.1 or localhost"
            )
        origin = headers.get("origin")
        if (origin is not None and origin.partition("://")[2] != host) or headers.get("sec-fetch-site") == "cross-site":
            follows = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
            if not follows or origin is not None:  # a link from elsewhere may be followed, by a person
                return Refusal(403, "Other sites may not read this: open the page by its address")
        if method not in ("GET", "HEAD"):
            return Refusal(405, "Nothing is changed here: the pages only read", {"allow": "GET, HEAD"})
        if self._token is not None and not has_token(headers.get("authorization", ""), self._token):
            says = "These sessions are shown to who has the token of `turnspan view`: it is the password, or a bearer token"
            challenge = {"www-authenticate": 'Basic realm="turnspan: the token is the password", charset="UTF-8"'}
            return Refusal(401, says, challenge)
        return None

    def _knows(self, host: str) -> bool:
        name = name_of(host)
        return name in self._hosts or ("*" in self._hosts and bool(name))


def name_of(host: str) -> str:
    """Return the name in a ``Host`` header, without its port."""
    name, _, port = host.rpartition(":")
    return (name if port.isdecimal() else host).lower()


def has_token(authorization: str, token: str) -> bool:
    """Return whether an ``Authorization`` header carries a token, as a bearer's or as a password."""
    scheme, _, credentials = authorization.partition(" ")
    given = credentials.strip()
    if scheme.lower() == "basic":
        try:
            given = base64.b64decode(given).decode().partition(":")[2]
        except ValueError:
            return False
    elif scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(given.encode(), token.encode())
