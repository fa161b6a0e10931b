"""Pydantic AI over the wire, over Anthropic's client."""

from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.providers.anthropic import AnthropicProvider

from support.drivers.pydantic_ai_wire import PydanticOverTheWire
from turnspan.testing.drivers import MODEL


class PydanticAnthropicOverTheWire(PydanticOverTheWire):
    """Over messages."""

    known_failures = {
        "test_two_good_tools_at_once": "with a provider, runtime and client each start a chat span of their own"
    }

    def _client(self, conversation, script):
        return self.anthropic(conversation, script)

    def _model(self, client):
        return AnthropicModel(MODEL, provider=AnthropicProvider(anthropic_client=client))


drivers = [PydanticAnthropicOverTheWire]
