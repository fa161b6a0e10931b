"""A scripted model server on loopback: real connections, any client, the answers of a script.

Each conversation has a script of its own and is known by its key: the header ``x-script``, the API key or the model's
name of a request, whichever names one. So many agents can run at once, in threads, loops or processes.
"""

import json
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from support.model_server import bedrock, chat_completions, embeddings, gemini, messages, models, ollama, responses
from support.model_server.script import Step
from support.model_server.wire import Cut, Reply, Request

PROTOCOLS = (chat_completions, responses, messages, ollama, gemini, bedrock, embeddings, models)


class Conversation:
    """A script, and what was asked."""

    def __init__(self, key: str, script: Iterable[Step], server: "ModelServer") -> None:
        self.key, self._server = key, server
        self.script = deque(script)
        self.requests: list[Request] = []
        self.answered = 0
        self.state: dict[str, Any] = {}
        """What a protocol keeps from one request to the next, such as answers in the background."""

    def play(self, script: Iterable[Step]) -> None:
        """Go on with another script, and with the numbers of the one before."""
        self.script = deque(script)

    def next(self) -> tuple[Step, str]:
        """Return the next step, and what ids of this answer end with: the same each time that the script is played."""
        with self._server.lock:
            if not self.script:
                raise ScriptOverError(self.key, self.answered)
            self.answered += 1
            return self.script.popleft(), f"{self.key}-{self.answered}"

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables by which a program in another process is served this script."""
        return {
            "OPENAI_BASE_URL": self._server.url + "/v1", "OPENAI_API_KEY": self.key,
            "ANTHROPIC_BASE_URL": self._server.url, "ANTHROPIC_API_KEY": self.key, "NO_PROXY": "127.0.0.1",
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": self._server.url, "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": "none",
            "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
            "ANTHROPIC_API_BASE": self._server.url, "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "GOOGLE_GEMINI_BASE_URL": self._server.url, "GEMINI_API_KEY": self.key,
            "MISTRAL_SERVER_URL": self._server.url, "MISTRAL_API_KEY": self.key,
            "OLLAMA_HOST": self._server.url, "OLLAMA_API_KEY": self.key,
        }  # fmt: skip

    def as_sent(self) -> list[tuple[Any, ...]]:
        """Return all requests for a comparison."""
        return [request.as_sent() for request in self.requests]


class ScriptOverError(Exception):
    """More was asked than the script has answers for."""

    def __init__(self, key: str, answered: int) -> None:
        super().__init__(f"the script of {key!r} is over: all {answered} answers are given")


class ModelServer:
    """Serves scripts until it is closed."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.conversations: dict[str, Conversation] = {}
        self.problems: list[str] = []
        """What was asked and had no answer."""
        server = self

        class Handler(_Handler):
            model_server = server

        self._http = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True, name="model server").start()

    def play(self, script: Iterable[Step], key: str = "script") -> Conversation:
        """Serve a script; it takes the place of the one that had this key."""
        made = self.conversations[key] = Conversation(key, script, self)
        return made

    def close(self) -> None:
        """Serve no more, and close all connections."""
        self._http.shutdown()
        self._http.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def reply(self, request: Request) -> Reply:
        """Return what is sent for a request."""
        conversation = self._conversation(request)
        protocol = next((p for p in PROTOCOLS if p.serves(request)), None)
        if conversation is None or protocol is None:
            self.problems.append(f"{request.method} {request.path}: no protocol or script for it")
            body = {"error": {"message": self.problems[-1], "type": "model_server", "code": None, "param": None}}
            return Reply(404, {"content-type": "application/json"}, json.dumps(body).encode())
        conversation.requests.append(request)
        try:
            return protocol.reply(conversation, request)
        except ScriptOverError as over:
            self.problems.append(str(over))
            return protocol.no_more(str(over))

    def _conversation(self, request: Request) -> Conversation | None:
        bearer = (request.header("authorization") or "").removeprefix("Bearer ")
        keys = [request.header("x-script"), bearer, request.header("x-api-key"), request.header("api-key")]
        keys.append(request.header("x-goog-api-key"))
        keys.append(bearer.partition("Credential=")[2].partition("/")[0])  # AWS signs with it
        with suppress(ValueError, AttributeError):
            keys.append(request.json.get("model"))
        found = (self.conversations[key] for key in keys if key in self.conversations)
        return next(found, self.conversations.get("script"))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, *args: Any) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that leave are what is tested."""

    def server_close(self) -> None:
        super().server_close()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    model_server: ModelServer

    def log_message(self, *_: object) -> None:
        pass

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        request = Request(self.command, self.path, list(self.headers.items()), body)
        self._send(self.model_server.reply(request))

    do_GET = do_POST = do_DELETE = _serve

    def _send(self, reply: Reply) -> None:
        time.sleep(reply.delay_s)
        if reply.status == 0:  # not a word
            self._close(reply.cut or Cut())
            return
        if reply.frames is None:
            self._head(reply.status, {**reply.headers, "content-length": str(len(reply.body))})
            self.wfile.write(reply.body[: len(reply.body) // 2] if reply.cut else reply.body)
        else:
            self._head(reply.status, {**reply.headers, "transfer-encoding": "chunked"})
            if not self._stream(reply.frames):
                return
            self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()
        if reply.cut:
            self._close(reply.cut)

    def _stream(self, frames: Any) -> bool:
        """Send frames; return whether all are sent."""
        for frame in frames:
            match frame:
                case bytes():
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(frame), frame))
                    self.wfile.flush()
                case threading.Event():
                    frame.wait(60)
                case Cut():
                    self._close(frame)
                    return False
                case _:
                    time.sleep(frame)
        return True

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response_only(status)
        for name, value in {"server": "model-server", **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def _close(self, cut: Cut) -> None:
        self.close_connection = True
        if cut.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
