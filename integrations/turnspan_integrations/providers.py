"""Who is asked, by the address that a client asks: ``gen_ai.provider.name`` of services behind one interface.

The names are those that the GenAI conventions know; for all others those of the price list, so that calls have a price.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

_HOSTS = {
    "api.openai.com": "openai",
    "openai.azure.com": "azure.ai.openai",
    "cognitiveservices.azure.com": "azure.ai.openai",
    "models.ai.azure.com": "azure.ai.inference",
    "services.ai.azure.com": "azure.ai.inference",
    "models.inference.ai.azure.com": "azure.ai.inference",
    "models.github.ai": "azure.ai.inference",
    "api.anthropic.com": "anthropic",
    "generativelanguage.googleapis.com": "gcp.gemini",
    "aiplatform.googleapis.com": "gcp.vertex_ai",
    "amazonaws.com": "aws.bedrock",
    "api.cohere.com": "cohere",
    "api.cohere.ai": "cohere",
    "api.deepseek.com": "deepseek",
    "api.groq.com": "groq",
    "ml.cloud.ibm.com": "ibm.watsonx.ai",
    "api.mistral.ai": "mistral_ai",
    "api.moonshot.ai": "moonshot_ai",
    "api.moonshot.cn": "moonshot_ai",
    "api.perplexity.ai": "perplexity",
    "api.x.ai": "x_ai",
    "openrouter.ai": "openrouter",
    "api.together.xyz": "together",
    "api.together.ai": "together",
    "api.fireworks.ai": "fireworks",
    "api.cerebras.ai": "cerebras",
    "api.sambanova.ai": "sambanova",
    "api.deepinfra.com": "deepinfra",
    "api.novita.ai": "novita",
    "api.studio.nebius.com": "nebius",
    "api.hyperbolic.xyz": "hyperbolic",
    "router.huggingface.co": "huggingface",
    "integrate.api.nvidia.com": "nvidia",
    "ai-gateway.vercel.sh": "vercel",
    "gateway.ai.cloudflare.com": "cloudflare",
    "dashscope.aliyuncs.com": "alibaba",
    "dashscope-intl.aliyuncs.com": "alibaba",
    "api.minimax.io": "minimax",
    "api.z.ai": "zai",
    "open.bigmodel.cn": "zhipuai",
    "ollama.com": "ollama",
}
"""By host; what ends with a dot and such a name is of the same service."""
_LOCAL_PORTS = {11434: "ollama", 1234: "lm_studio"}
"""Servers on one's own machine, by the port that they listen on if nobody says otherwise."""
_LOCAL = ("localhost", "127.0.0.1", "::1", "0.0.0.0", "host.docker.internal")  # noqa: S104  nothing is bound to it
_NAMED = ("vllm", "ollama", "litellm", "lm-studio", "sglang", "llama-cpp", "tgi")
"""Servers of one's own that are commonly called after what runs on them."""


def provider_at(address: Any, otherwise: str) -> str:
    """Return who answers at an address.

    Args:
        address: The base URL of a client.
        otherwise: Whose interface it is: the name of a server that nothing is known of, as the conventions have it.

    """
    parts = urlsplit(str(address or ""))
    host = (parts.hostname or "").lower()
    names = host.split(".")
    for n in range(len(names)):
        if (found := _HOSTS.get(".".join(names[n:]))) is not None:
            return found
    if host in _LOCAL and (local := _local_port(parts)) is not None:
        return local
    return next((word.replace("-", "_") for word in _NAMED if word in names[0]), otherwise)


def _local_port(parts: Any) -> str | None:
    try:
        return _LOCAL_PORTS.get(parts.port)
    except ValueError:  # no port that there is
        return None
