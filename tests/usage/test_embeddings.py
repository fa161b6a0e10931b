"""Embeddings in a turn: what each provider documents that they used is on record, and no vector is."""

import asyncio
import json

import pytest

import turnspan
from support.answers import asked
from support.model_server import ModelServer
from support.model_server.clients import TLS
from support.model_server.wire import whole

TEXTS = ["The sky is blue.", "Grass is green."]
VECTOR = [0.1, -0.2, 0.3]
OF_OPENAI = {
    "object": "list",
    "model": "text-embedding-3-small",
    "data": [{"object": "embedding", "index": n, "embedding": VECTOR} for n in (0, 1)],
    "usage": {"prompt_tokens": 8, "total_tokens": 8},
}


@pytest.fixture(scope="module")
def server():
    """One model for all of them."""
    with ModelServer() as made:
        yield made
        assert made.problems == []


def openai(server):
    with pytest.importorskip("openai").OpenAI(base_url=server.url + "/v1", api_key="script") as client:
        client.embeddings.create(model="text-embedding-3-small", input=TEXTS)


def mistralai(server):
    package = pytest.importorskip("mistralai.client")
    httpx = pytest.importorskip("mistralai.client.httpclient").httpx
    with httpx.Client(verify=TLS, trust_env=False) as http:
        client = package.Mistral(api_key="script", server_url=server.url, client=http)
        client.embeddings.create(model="mistral-embed", inputs=TEXTS)


def ollama(server):
    client = pytest.importorskip("ollama").Client(server.url, verify=TLS, trust_env=False)
    with client._client:
        client.embed("all-minilm", TEXTS)


def ollama_async(server):
    client = pytest.importorskip("ollama").AsyncClient(server.url, verify=TLS, trust_env=False)

    async def ask():
        async with client._client:
            await client.embed(model="all-minilm", input=TEXTS)

    asyncio.run(ask())


def google(server):
    genai = pytest.importorskip("google.genai")
    http = {"base_url": server.url, "client_args": {"verify": TLS, "trust_env": False}}
    client = genai.Client(api_key="script", vertexai=False, http_options=http)
    client.models.embed_content(model="gemini-embedding-001", contents=TEXTS)


def bedrock(server):
    keys = {"aws_access_key_id": "script", "aws_secret_access_key": "none", "region_name": "us-east-1"}
    client = pytest.importorskip("boto3").client("bedrock-runtime", endpoint_url=server.url, **keys)
    body = json.dumps({"inputText": TEXTS[0]})
    client.invoke_model(modelId="amazon.titan-embed-text-v2:0", body=body)
    client.close()


def litellm(server):
    package = pytest.importorskip("litellm")
    package.embedding("openai/text-embedding-3-small", input=TEXTS, api_base=server.url + "/v1", api_key="script")


# What the interfaces' own pages show: OpenAI's and Mistral's references, Ollama's API, Gemini's usage metadata, the headers of
# InvokeModel.
CASES = {
    "openai": (openai, "openai", "text-embedding-3-small", whole(OF_OPENAI), 8),
    "mistralai": (
        mistralai,
        "mistral_ai",
        "mistral-embed",
        whole(
            {
                "id": "r",
                **OF_OPENAI,
                "model": "mistral-embed",
                "usage": {"prompt_tokens": 15, "completion_tokens": 0, "total_tokens": 15},
            }
        ),
        15,
    ),
    "ollama": (
        ollama,
        "ollama",
        "all-minilm",
        whole(
            {
                "model": "all-minilm",
                "embeddings": [VECTOR, VECTOR],
                "total_duration": 14143917,
                "load_duration": 1019500,
                "prompt_eval_count": 8,
            }
        ),
        8,
    ),
    "google-genai": (
        google,
        "gcp.gemini",
        "gemini-embedding-001",
        whole({"embeddings": [{"values": VECTOR}] * 2, "usageMetadata": {"promptTokenCount": 9}}),
        9,
    ),
    "bedrock": (
        bedrock,
        "aws.bedrock",
        "amazon.titan-embed-text-v2:0",
        whole(
            {"embedding": VECTOR, "inputTextTokenCount": 5},
            headers={"x-amzn-bedrock-input-token-count": "5", "x-amzn-bedrock-invocation-latency": "30"},
        ),
        5,
    ),
    "litellm": (litellm, "openai", "text-embedding-3-small", whole(OF_OPENAI), 8),
}


def embedded(ask):
    """Return what asks inside of a turn."""

    def run(server):
        with turnspan.turn(prompt="find it"):
            ask(server)

    return run


@pytest.mark.parametrize("adapter", CASES)
def test_embeddings_used_what_their_provider_says(adapter, server):
    """One model call that says what it is: its texts and tokens, no output; the vectors are the program's."""
    ask, provider, model, answer, tokens = CASES[adapter]
    with asked(server, adapter, embedded(ask), answer) as recording:
        (call,) = recording.model_calls
        assert (call["operation"], call["provider"], call["model"]) == ("embeddings", provider, model)
        assert (call["status"], call["usage"]) == ("success", {"input_tokens": tokens})
        if adapter != "bedrock":  # its bytes are each model's own
            assert [message["content"] for message in call["messages"]] == TEXTS
        assert "output" not in call
        assert recording.problems == {}
        assert recording.unresolved() == []


def test_embeddings_of_a_client_for_coroutines(server):
    """They are the same."""
    answer, tokens = CASES["ollama"][3:]
    with asked(server, "ollama", embedded(ollama_async), answer) as recording:
        assert [call["usage"] for call in recording.model_calls] == [{"input_tokens": tokens}]


def test_litellm_and_the_client_below_it_count_them_once(server):
    """Both are watched: the call is on record once, as LiteLLM's."""
    pytest.importorskip("litellm")

    def both(at):
        from turnspan.instrumentation.registry import Adapters

        below = Adapters()
        below.watch("openai")
        try:
            litellm(at)
        finally:
            below.undo()

    with asked(server, "litellm", embedded(both), whole(OF_OPENAI)) as recording:
        assert len(recording.model_calls) == 1


@pytest.mark.parametrize("adapter", ["bedrock", "ollama"])
def test_embeddings_outside_of_a_turn_make_none(adapter, server):
    """An index of ten thousand texts is not ten thousand turns."""
    ask, _, _, answer, _ = CASES[adapter]
    with asked(server, adapter, ask, answer) as recording:
        assert recording.sessions == []
