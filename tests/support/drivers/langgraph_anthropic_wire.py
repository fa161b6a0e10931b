"""LangChain's ``create_agent`` over the wire, with LangChain's model of Anthropic."""

import itertools
from contextlib import asynccontextmanager

from langchain_anthropic import ChatAnthropic

from support.drivers.langgraph_wire import LangGraphOverTheWire
from turnspan.testing.drivers import MODEL

_addresses = itertools.count()


class LangGraphAnthropicOverTheWire(LangGraphOverTheWire):
    """Over messages."""

    @asynccontextmanager
    async def _model(self, conversation, script):
        key = self.serve(conversation, script)
        url = f"{self.server.url}/{next(_addresses)}"  # connections are shared by address, which outlives a loop
        model = ChatAnthropic(model=MODEL, base_url=url, api_key=key, max_retries=0)
        try:
            yield model
        finally:
            await model._async_client.close()


drivers = [LangGraphAnthropicOverTheWire]
