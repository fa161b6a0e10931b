"""What Mistral's client has that others have not: contents in chunks, thinking among them."""

import pytest

client = pytest.importorskip("mistralai.client")
from support.answers import asked
from support.model_server import ModelServer
from usage import answers


def test_thinking_of_a_stream_is_kept_apart_from_the_answer():
    """The turn's response is what the model said; what it thought is in the output of the call."""

    def ask(server):
        model = client.Mistral(api_key="script", server_url=server.url)
        with model.chat.stream(model="m", messages=[{"role": "user", "content": "Hi"}]) as events:
            assert len(list(events)) == 3

    used = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
    with ModelServer() as server, asked(server, "mistralai", ask, answers.mistralai_streamed(used, {})) as recording:
        assert recording.turn.response_content == "Hello."
        assert recording.model_calls[0]["output"] == [
            {"role": "assistant", "reasoning_content": "Hm.", "content": "Hello."}
        ]
