"""What drivers over the wire have in common: a model server, a script for each conversation, and the real clients."""

import itertools
import ssl
import threading

from support.model_server import ModelServer
from turnspan.testing.drivers import TOKENS

assert TOKENS == (10, 2), "what the model server says if nothing is set"
_numbers = itertools.count()
_making = threading.Lock()
TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Made once and never used: each client would load all certificates, which costs ten times what a turn does."""


class OverTheWire:
    """Mixed into a driver: scripts are served, clients are the real ones."""

    _server = None

    @property
    def server(self):
        with _making:  # twenty threads may ask at once for the first time
            if self._server is None:
                self._server = ModelServer()
            return self._server

    def serve(self, conversation, script):
        """Serve a script to a conversation, and return the API key that names it."""
        played = conversation.state.get("served")
        if played is None or played.key not in self.server.conversations:
            key = f"{conversation.id}-{next(_numbers)}"
            played = conversation.state["served"] = self.server.play(script, key=key)
        else:
            played.play(script)
        return played.key

    def openai(self, conversation, script):
        """Return OpenAI's client of a conversation; the caller closes it."""
        import openai

        key, http = self.serve(conversation, script), openai.DefaultAsyncHttpxClient(verify=TLS)
        return openai.AsyncOpenAI(base_url=self.server.url + "/v1", api_key=key, max_retries=0, http_client=http)

    def anthropic(self, conversation, script):
        """Return Anthropic's client of a conversation; the caller closes it."""
        import anthropic

        key, http = self.serve(conversation, script), anthropic.DefaultAsyncHttpxClient(verify=TLS)
        return anthropic.AsyncAnthropic(base_url=self.server.url, api_key=key, max_retries=0, http_client=http)

    def close(self):
        super().close()
        if self._server is not None:
            self._server.close()
            self._server = None
