"""Tokens match the bill: what providers document, through their clients and over the wire, is on record to the token."""

import pytest

from support.answers import asked
from support.model_server import ModelServer
from support.model_server.clients import TLS
from usage import answers
from usage.payloads import PAYLOADS

HELLO = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}


@pytest.fixture(scope="module")
def server():
    """One model for all of them."""
    with ModelServer() as made:
        yield made
        assert made.problems == []


def client_of(package, server, address):
    """Return the real client of an address, whose connections go to the model server: a proxy before the service."""
    client = pytest.importorskip(package)
    made = {"openai": "OpenAI", "anthropic": "Anthropic"}[package]
    http = client.DefaultHttpxClient(proxy=server.url, verify=TLS, trust_env=False)
    address = address.replace("https://", "http://")  # the service's own name, without its certificate
    return getattr(client, made)(base_url=address, api_key="script", max_retries=0, http_client=http)


def chat(server, payload, stream):
    with client_of("openai", server, payload.address) as client:
        more = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
        _read(client.chat.completions.create(**HELLO, **more), stream)


def responses(server, payload, stream):
    with client_of("openai", server, payload.address) as client:
        _read(client.responses.create(model="m", input="Hi", stream=stream), stream)


def messages(server, payload, stream):
    with client_of("anthropic", server, payload.address) as client:
        _read(client.messages.create(**HELLO, max_tokens=9, stream=stream), stream)


def ollama(server, _payload, stream):
    client = pytest.importorskip("ollama").Client(server.url, verify=TLS, trust_env=False)
    with client._client:
        _read(client.chat(**HELLO, stream=stream), stream)


def mistralai(server, _payload, stream):
    package = pytest.importorskip("mistralai.client")
    httpx = pytest.importorskip("mistralai.client.httpclient").httpx
    with httpx.Client(verify=TLS, trust_env=False) as http:
        client = package.Mistral(api_key="script", server_url=server.url, client=http)
        _read((client.chat.stream if stream else client.chat.complete)(**HELLO), stream)


def contents(server, _payload, stream):
    genai = pytest.importorskip("google.genai")
    http = {"base_url": server.url, "client_args": {"verify": TLS, "trust_env": False}}
    client = genai.Client(api_key="script", vertexai=False, http_options=http)
    models = client.models
    _read((models.generate_content_stream if stream else models.generate_content)(model="m", contents="Hi"), stream)


def converse(server, _payload, stream):
    boto3 = pytest.importorskip("boto3")
    keys = {"aws_access_key_id": "script", "aws_secret_access_key": "none", "region_name": "us-east-1"}
    client = boto3.client("bedrock-runtime", endpoint_url=server.url, **keys)
    asked = {"modelId": "m", "messages": [{"role": "user", "content": [{"text": "Hi"}]}]}
    _read(client.converse_stream(**asked)["stream"] if stream else client.converse(**asked), stream)
    client.close()


def _read(answer, stream):
    if stream:
        list(answer)


INTERFACES = {
    "chat": ("openai", chat),
    "responses": ("openai", responses),
    "messages": ("anthropic", messages),
    "contents": ("google-genai", contents),
    "converse": ("bedrock", converse),
    "ollama": ("ollama", ollama),
    "mistralai": ("mistralai", mistralai),
}
"""The adapter that reads an interface, and how it is asked."""


PACKAGES = {"google-genai": "google.genai", "bedrock": "boto3"}
"""What must be installed, where that is not called like the adapter."""


def used(recording):
    """Return who was asked, and what it used, of the only model call."""
    (call,) = recording.model_calls
    return call["provider"], call["usage"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda p: f"{p.interface} {p.provider} {p.recorded['output_tokens']}")
def test_a_call_used_what_its_provider_says(payload, stream, server):
    """By the name of the service, to the token, whole and streamed; each part once, and no count that was not said."""
    adapter, ask = INTERFACES[payload.interface]
    answer = getattr(answers, payload.interface + ("_streamed" if stream else ""))
    pytest.importorskip(PACKAGES.get(adapter, adapter))
    with asked(server, adapter, lambda at: ask(at, payload, stream), answer(payload.said, payload.beside)) as recording:
        assert used(recording) == (payload.provider, payload.recorded)
        assert recording.problems == {}


def test_groq_says_it_in_a_place_of_its_own(server):
    """A stream that was not asked to include its usage has it all the same."""
    pytest.importorskip("openai")
    payload = next(p for p in PAYLOADS if p.provider == "groq")
    answer = answers.groq_streamed(payload.said, {})
    with asked(server, "openai", lambda at: chat(at, payload, True), answer) as recording:
        assert used(recording) == ("groq", payload.recorded)


def test_twelve_providers_and_more_are_held_to_it():
    """So many are documented here."""
    assert len({payload.provider for payload in PAYLOADS}) >= 12
