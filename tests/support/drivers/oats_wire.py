"""oats over the wire: LiteLLM itself, which asks through OpenAI's client."""

import json

import litellm
import oats.session.processor as processor
from oats.provider.provider import get_provider
from oats.session.session import create_session

from support.drivers._wire import OverTheWire
from support.drivers.oats_sessions import FOLDER, Oats

litellm.suppress_debug_info = True


class OatsOverTheWire(OverTheWire, Oats):
    """Over chat completions; the script is found by the model's name."""

    known_failures = {
        "test_an_adapter_keeps_nothing_of_a_finished_run": "LiteLLM keeps the contexts of its calls",
    }
    _before = None

    async def _events(self, conversation, prompt, script):
        if self._before is None:  # the other driver has put its own in this place
            self._before, litellm.acompletion = litellm.acompletion, litellm.main.acompletion
        key = self.serve(conversation, script)
        self._known(f"openai/{key}")
        get_provider("vllm-small").config.base_url = self.server.url + "/v1"
        session = conversation.state.get("session")
        if session is None:
            session = conversation.state["session"] = await create_session(
                project_dir=FOLDER, model_id=f"openai/{key}", provider_id="vllm-small"
            )
        loop = processor.SessionProcessor(session)
        async for event in loop.process_message(prompt, auto_approve_tools=True, needs_local_tools=False):
            yield event

    @staticmethod
    def _known(model):
        """Put a model into the runtime's configuration, which it reads each time."""
        path = FOLDER / "coder.json"
        config = json.loads(path.read_text())
        models = config["provider"]["vllm-small"]["models"]
        if {"name": model} not in models:
            models.append({"name": model})
            path.write_text(json.dumps(config))

    def close(self):
        super().close()
        if self._before is not None:
            litellm.acompletion, self._before = self._before, None


drivers = [OatsOverTheWire]
