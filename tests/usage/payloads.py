"""What providers document that they say of tokens, and what is right to have on record of it.

``source`` is the page that documents the fields. Numbers are those of the pages where these give some.
"""

from typing import Any, NamedTuple


class Payload(NamedTuple):
    """The usage in one answer of one service, through one interface of its client."""

    provider: str
    interface: str
    address: str
    """The base URL that its users give the client."""
    said: dict[str, Any]
    recorded: dict[str, Any]
    source: str
    beside: dict[str, Any] = {}
    """What the answer says of it elsewhere."""


def _chat(provider, address, said, recorded, source, **beside):
    return Payload(provider, "chat", address, said, recorded, source, beside)


CHAT = [
    _chat(
        "openai", "https://api.openai.com/v1",
        {"prompt_tokens": 2006, "completion_tokens": 300, "total_tokens": 2306,
         "prompt_tokens_details": {"cached_tokens": 1920, "audio_tokens": 0},
         "completion_tokens_details": {"reasoning_tokens": 128, "audio_tokens": 0, "accepted_prediction_tokens": 0,
                                       "rejected_prediction_tokens": 0}},
        {"input_tokens": 2006, "output_tokens": 300, "cache_read_tokens": 1920, "reasoning_tokens": 128},
        "https://platform.openai.com/docs/guides/prompt-caching", service_tier="default",
    ),
    _chat(
        "openai", "https://api.openai.com/v1",
        {"prompt_tokens": 60, "completion_tokens": 150, "total_tokens": 210,
         "prompt_tokens_details": {"cached_tokens": 0, "text_tokens": 17, "audio_tokens": 43, "image_tokens": 0},
         "completion_tokens_details": {"reasoning_tokens": 0, "text_tokens": 30, "audio_tokens": 120}},
        {"input_tokens": 60, "output_tokens": 150, "audio_input_tokens": 43, "audio_output_tokens": 120,
         "service_tier": "flex"},
        "https://platform.openai.com/docs/guides/audio", service_tier="flex",
    ),
    _chat(
        "azure.ai.openai", "https://mine.openai.azure.com/openai/v1",
        {"prompt_tokens": 1566, "completion_tokens": 1518, "total_tokens": 3084,
         "prompt_tokens_details": {"cached_tokens": 1408}, "completion_tokens_details": {"reasoning_tokens": 576}},
        {"input_tokens": 1566, "output_tokens": 1518, "cache_read_tokens": 1408, "reasoning_tokens": 576},
        "https://learn.microsoft.com/azure/ai-foundry/openai/how-to/prompt-caching",
    ),
    _chat(
        "deepseek", "https://api.deepseek.com",
        {"prompt_tokens": 1300, "completion_tokens": 450, "total_tokens": 1750, "prompt_cache_hit_tokens": 1024,
         "prompt_cache_miss_tokens": 276, "completion_tokens_details": {"reasoning_tokens": 400}},
        {"input_tokens": 1300, "output_tokens": 450, "cache_read_tokens": 1024, "reasoning_tokens": 400},
        "https://api-docs.deepseek.com/guides/kv_cache",
    ),
    _chat(
        "groq", "https://api.groq.com/openai/v1",
        {"queue_time": 0.026959759, "prompt_tokens": 4641, "prompt_time": 0.009995497, "completion_tokens": 1817,
         "completion_time": 5.57691751, "total_tokens": 6458, "total_time": 5.586913007,
         "prompt_tokens_details": {"cached_tokens": 4608}},
        {"input_tokens": 4641, "output_tokens": 1817, "cache_read_tokens": 4608},
        "https://console.groq.com/docs/prompt-caching", service_tier="on_demand",
    ),
    _chat(
        "x_ai", "https://api.x.ai/v1",
        {"prompt_tokens": 32, "completion_tokens": 9, "total_tokens": 135, "num_sources_used": 0,
         "prompt_tokens_details": {"text_tokens": 32, "audio_tokens": 0, "image_tokens": 0, "cached_tokens": 6},
         "completion_tokens_details": {"reasoning_tokens": 94, "audio_tokens": 0, "accepted_prediction_tokens": 0,
                                       "rejected_prediction_tokens": 0},
         "cost_in_usd_ticks": 37756000},
        {"input_tokens": 32, "output_tokens": 103, "cache_read_tokens": 6, "reasoning_tokens": 94, "cost_usd": 0.0037756},
        "https://docs.x.ai/developers/cost-tracking",
    ),
    _chat(
        "openrouter", "https://openrouter.ai/api/v1",
        {"prompt_tokens": 194, "completion_tokens": 2, "total_tokens": 196, "cost": 0.95, "is_byok": False,
         "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 100, "audio_tokens": 0},
         "completion_tokens_details": {"reasoning_tokens": 0}, "cost_details": {"upstream_inference_cost": 19}},
        {"input_tokens": 194, "output_tokens": 2, "cache_write_tokens": 100, "cost_usd": 0.95},
        "https://openrouter.ai/docs/use-cases/usage-accounting",
    ),
    _chat(
        "perplexity", "https://api.perplexity.ai",
        {"prompt_tokens": 33, "completion_tokens": 7163, "total_tokens": 7196, "search_context_size": "low",
         "citation_tokens": 20016, "num_search_queries": 28, "reasoning_tokens": 193943,
         "cost": {"input_tokens_cost": 0.0, "output_tokens_cost": 0.057, "citation_tokens_cost": 0.04,
                  "reasoning_tokens_cost": 0.582, "search_queries_cost": 0.14, "total_cost": 0.819}},
        {"input_tokens": 33, "output_tokens": 201106, "reasoning_tokens": 193943, "cost_usd": 0.819},
        "https://docs.perplexity.ai/getting-started/models/models/sonar-deep-research",
    ),
    _chat(
        "mistral_ai", "https://api.mistral.ai/v1",
        {"prompt_tokens": 16, "completion_tokens": 34, "total_tokens": 50, "num_cached_tokens": 8,
         "prompt_audio_seconds": None},
        {"input_tokens": 16, "output_tokens": 34, "cache_read_tokens": 8},
        "https://docs.mistral.ai/api",
    ),
    _chat(
        "together", "https://api.together.xyz/v1",
        {"prompt_tokens": 31, "completion_tokens": 12, "total_tokens": 43, "cached_tokens": 16},
        {"input_tokens": 31, "output_tokens": 12, "cache_read_tokens": 16},
        "https://docs.together.ai/reference/chat-completions-1",
    ),
    _chat(
        "fireworks", "https://api.fireworks.ai/inference/v1",
        {"prompt_tokens": 24, "total_tokens": 35, "completion_tokens": 11, "prompt_tokens_details": {"cached_tokens": 16}},
        {"input_tokens": 24, "output_tokens": 11, "cache_read_tokens": 16},
        "https://docs.fireworks.ai/guides/prompt-caching",
    ),
    _chat(
        "moonshot_ai", "https://api.moonshot.ai/v1",
        {"prompt_tokens": 19, "completion_tokens": 21, "total_tokens": 40, "cached_tokens": 10},
        {"input_tokens": 19, "output_tokens": 21, "cache_read_tokens": 10},
        "https://platform.moonshot.ai/docs/api/chat",
    ),
    _chat(
        "gcp.gemini", "https://generativelanguage.googleapis.com/v1beta/openai/",
        {"prompt_tokens": 8, "completion_tokens": 21, "total_tokens": 250},
        {"input_tokens": 8, "output_tokens": 242},
        "https://ai.google.dev/gemini-api/docs/openai",
    ),
    _chat(
        "alibaba", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        {"prompt_tokens": 3019, "completion_tokens": 104, "total_tokens": 3123,
         "prompt_tokens_details": {"cached_tokens": 0, "cache_creation_input_tokens": 2048, "cache_type": "ephemeral",
                                   "cache_creation": {"ephemeral_5m_input_tokens": 2048}}},
        {"input_tokens": 3019, "output_tokens": 104, "cache_write_tokens": 2048},
        "https://www.alibabacloud.com/help/en/model-studio/context-cache",
    ),
    _chat(
        "vllm", "http://vllm.internal:8000/v1",
        {"prompt_tokens": 17, "total_tokens": 40, "completion_tokens": 23, "prompt_tokens_details": None},
        {"input_tokens": 17, "output_tokens": 23},
        "https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html",
    ),
    _chat(
        "ollama", "http://localhost:11434/v1",
        {"prompt_tokens": 26, "completion_tokens": 298, "total_tokens": 324},
        {"input_tokens": 26, "output_tokens": 298},
        "https://docs.ollama.com/api/openai-compatibility",
    ),
    _chat(
        "lm_studio", "http://localhost:1234/v1",
        {"prompt_tokens": 24, "completion_tokens": 19, "total_tokens": 43,
         "completion_tokens_details": {"reasoning_tokens": 0}},
        {"input_tokens": 24, "output_tokens": 19},
        "https://lmstudio.ai/docs/developer/openai-compat",
    ),
]  # fmt: skip


def _responses(provider, address, said, recorded, source, **beside):
    return Payload(provider, "responses", address, said, recorded, source, beside)


RESPONSES = [
    _responses(
        "openai", "https://api.openai.com/v1",
        {"input_tokens": 328, "input_tokens_details": {"cached_tokens": 64, "cache_write_tokens": 0},
         "output_tokens": 52, "output_tokens_details": {"reasoning_tokens": 40}, "total_tokens": 380},
        {"input_tokens": 328, "output_tokens": 52, "cache_read_tokens": 64, "reasoning_tokens": 40,
         "service_tier": "priority"},
        "https://platform.openai.com/docs/api-reference/responses/object", service_tier="priority",
    ),
    _responses(
        "azure.ai.openai", "https://mine.openai.azure.com/openai/v1",
        {"input_tokens": 12, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 18,
         "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 30},
        {"input_tokens": 12, "output_tokens": 18},
        "https://learn.microsoft.com/azure/ai-foundry/openai/how-to/responses",
    ),
    _responses(
        "x_ai", "https://api.x.ai/v1",
        {"input_tokens": 199, "input_tokens_details": {"cached_tokens": 163}, "output_tokens": 282,
         "output_tokens_details": {"reasoning_tokens": 280}, "total_tokens": 481, "num_sources_used": 0,
         "num_server_side_tools_used": 0, "cost_in_usd_ticks": 158500},
        {"input_tokens": 199, "output_tokens": 282, "cache_read_tokens": 163, "reasoning_tokens": 280,
         "cost_usd": 0.00001585},
        "https://docs.x.ai/docs/guides/chat",
    ),
]  # fmt: skip


def _messages(provider, address, said, recorded, source):
    return Payload(provider, "messages", address, said, recorded, source)


MESSAGES = [
    _messages(
        "anthropic", "https://api.anthropic.com",
        {"input_tokens": 2048, "cache_read_input_tokens": 1800, "cache_creation_input_tokens": 248,
         "output_tokens": 503, "cache_creation": {"ephemeral_5m_input_tokens": 148, "ephemeral_1h_input_tokens": 100},
         "service_tier": "standard"},
        {"input_tokens": 4096, "output_tokens": 503, "cache_read_tokens": 1800, "cache_write_tokens": 248,
         "cache_write_1h_tokens": 100},
        "https://platform.claude.com/docs/en/build-with-claude/prompt-caching",
    ),
    _messages(
        "anthropic", "https://api.anthropic.com",
        {"input_tokens": 410, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 585,
         "service_tier": "priority", "server_tool_use": {"web_search_requests": 1}},
        {"input_tokens": 410, "output_tokens": 585, "service_tier": "priority"},
        "https://platform.claude.com/docs/en/api/service-tiers",
    ),
    _messages(
        "anthropic", "https://api.anthropic.com",
        {"input_tokens": 23000, "output_tokens": 1000, "iterations": [
            {"type": "compaction", "input_tokens": 180000, "output_tokens": 3500},
            {"type": "message", "input_tokens": 23000, "output_tokens": 1000}]},
        {"input_tokens": 203000, "output_tokens": 4500},
        "https://platform.claude.com/docs/en/build-with-claude/compaction",
    ),
    _messages(
        "deepseek", "https://api.deepseek.com/anthropic",
        {"input_tokens": 12, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 256, "output_tokens": 30,
         "service_tier": "standard"},
        {"input_tokens": 268, "output_tokens": 30, "cache_read_tokens": 256},
        "https://api-docs.deepseek.com/guides/anthropic_api",
    ),
    _messages(
        "moonshot_ai", "https://api.moonshot.ai/anthropic",
        {"input_tokens": 19, "output_tokens": 21, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 10},
        {"input_tokens": 29, "output_tokens": 21, "cache_read_tokens": 10},
        "https://platform.moonshot.ai/docs/guide/agent-support",
    ),
]  # fmt: skip

OLLAMA = [
    Payload(
        "ollama", "ollama", "", {"prompt_eval_count": 26, "eval_count": 298},
        {"input_tokens": 26, "output_tokens": 298}, "https://docs.ollama.com/api/usage",
    ),
]  # fmt: skip

MISTRALAI = [
    Payload(
        "mistral_ai", "mistralai", "",
        {"prompt_tokens": 4171, "completion_tokens": 61, "total_tokens": 4232, "num_cached_tokens": 4096,
         "prompt_tokens_details": {"cached_tokens": 4096}, "service_tier": "priority"},
        {"input_tokens": 4171, "output_tokens": 61, "cache_read_tokens": 4096, "service_tier": "priority"},
        "https://docs.mistral.ai/api",
    ),
]  # fmt: skip

_GEMINI = "https://ai.google.dev/api/generate-content#UsageMetadata"
CONTENTS = [
    Payload(
        "gcp.gemini", "contents", "",
        {"promptTokenCount": 696219, "cachedContentTokenCount": 696190, "candidatesTokenCount": 214,
         "thoughtsTokenCount": 1050, "totalTokenCount": 697483,
         "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 29}, {"modality": "AUDIO", "tokenCount": 696190}],
         "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 696190}],
         "candidatesTokensDetails": [{"modality": "TEXT", "tokenCount": 214}]},
        {"input_tokens": 696219, "output_tokens": 1264, "cache_read_tokens": 696190, "reasoning_tokens": 1050,
         "audio_input_tokens": 696190}, _GEMINI,
    ),
    Payload(
        "gcp.gemini", "contents", "",
        {"promptTokenCount": 20, "toolUsePromptTokenCount": 1200, "candidatesTokenCount": 1300, "totalTokenCount": 2520,
         "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 20}],
         "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1290}, {"modality": "TEXT", "tokenCount": 10}]},
        {"input_tokens": 1220, "output_tokens": 1300, "image_output_tokens": 1290}, _GEMINI,
    ),
]  # fmt: skip

_TOKEN_USAGE = "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html"
CONVERSE = [
    Payload(
        "aws.bedrock", "converse", "", {"inputTokens": 30, "outputTokens": 628, "totalTokens": 658},
        {"input_tokens": 30, "output_tokens": 628}, _TOKEN_USAGE,
    ),
    Payload(
        "aws.bedrock", "converse", "",
        {"inputTokens": 8, "outputTokens": 320, "totalTokens": 3592, "cacheReadInputTokens": 2840,
         "cacheWriteInputTokens": 424, "cacheDetails": [{"ttl": "1h", "inputTokens": 400}, {"ttl": "5m", "inputTokens": 24}]},
        {"input_tokens": 3272, "output_tokens": 320, "cache_read_tokens": 2840, "cache_write_tokens": 424,
         "cache_write_1h_tokens": 400}, _TOKEN_USAGE,
    ),
]  # fmt: skip

PAYLOADS = [*CHAT, *RESPONSES, *MESSAGES, *OLLAMA, *MISTRALAI, *CONTENTS, *CONVERSE]
