"""The play in each runtime's own environment: its newest release, and the oldest that the adapter claims.

nox -s play                     all of them
nox -s "play(openai, oldest)"   one
"""

import re
from pathlib import Path

import nox

nox.options.default_venv_backend = "uv|virtualenv"
ADAPTERS = Path("integrations/turnspan_integrations")
BESIDE = {
    "langgraph": {
        "newest": [
            "langchain>=1.0",
            "langchain-openai",
            "langchain-anthropic",
            "deepagents",
            "langgraph-supervisor",
            "langgraph-swarm",
        ],
        "oldest": [
            "langchain==1.0.0",
            "langgraph-prebuilt==1.0.0",  # later ones want a later langgraph, and do not say so
            "langchain-openai",
            "deepagents==0.2.0",
            "langgraph-supervisor==0.0.30",
            "langgraph-swarm==0.1.0",
        ],
    },
    "pydantic_ai": {"newest": ["openai", "anthropic"], "oldest": []},
    "agent_framework": {
        "newest": ["agent-framework-openai", "agent-framework-orchestrations"],
        "oldest": ["agent-framework-openai"],
    },
    "autogen": {"newest": ["autogen-ext[openai]"], "oldest": ["autogen-ext[openai]==0.7.1"]},
    "agno": {"newest": ["openai", "fastapi"], "oldest": ["openai", "fastapi"]},
    "semantic_kernel": {"newest": ["protobuf"], "oldest": ["protobuf", "httpx"]},
    "strands": {"newest": ["openai"], "oldest": ["openai"]},
    "otel": {
        "newest": [
            "openai",
            "opentelemetry-instrumentation-openai-v2==2.3b0",
            "openinference-instrumentation-openai",
            "opentelemetry-instrumentation-openai",
            "opentelemetry-util-genai",
            "httpx",
            "wrapt<2",
        ],
        "oldest": ["openai"],
    },
    "llama_index": {"newest": ["llama-index-llms-openai"], "oldest": ["llama-index-llms-openai"]},
    "smolagents": {"newest": ["openai"], "oldest": ["openai"]},
    "haystack": {"newest": ["openai"], "oldest": ["openai"]},
    "bedrock": {"newest": ["boto3"], "oldest": ["boto3==1.35.0"]},
    "crewai": {"newest": ["litellm"], "oldest": ["litellm"]},
    "mcp": {
        "newest": ["anthropic", "openai", "openai-agents", "langgraph", "fastmcp"],
        "oldest": ["anthropic", "fastmcp==2.13.0"],
    },
    "openai_agents": {"newest": ["mcp>=2"], "oldest": ["openai==2.26.0"]},
    "oats_coder": {"newest": ["litellm"], "oldest": ["litellm"]},
}
"""What a runtime's tests need besides it."""


CLIENTS = ("anthropic", "bedrock", "google_genai", "litellm", "mistralai", "ollama", "openai")
"""Clients of models: what their providers say of tokens is looked at with each of them."""


def requirements() -> dict[str, str]:
    """Return what each adapter requires, by the name of its module."""
    found = {p.stem: re.search(r'^REQUIRES = "(.+)"', p.read_text(), re.MULTILINE) for p in ADAPTERS.glob("*.py")}
    return {name: match[1] for name, match in sorted(found.items()) if match}


@nox.session
@nox.parametrize("version", ["newest", "oldest"])
@nox.parametrize("runtime", sorted(requirements()))
def play(session: nox.Session, runtime: str, version: str) -> None:
    """Play on one runtime."""
    wanted = requirements()[runtime].partition(",")[0]  # newest: also beyond what was tested until now
    if version == "oldest":
        wanted = wanted.replace(">=", "==")
    session.install("-e", ".[otlp]", wanted, *BESIDE.get(runtime, {}).get(version, ()))
    session.install("pytest>=8.3", "pytest-timeout>=2.3", "hypothesis>=6.120")
    name = runtime.removesuffix("_coder")
    own = [path for path in (f"tests/runtimes/test_{name}.py", f"tests/runtimes/{name}") if Path(path).exists()]
    files = ["tests/runtimes/test_adapter_conformance.py", "tests/test_programs.py", *own]
    if runtime in CLIENTS and version == "newest":  # old ones pass on less than providers say today
        files += ["tests/usage/test_payloads.py", "tests/usage/test_embeddings.py"]
    package = re.split("[^a-z0-9-]", wanted)[0]
    if not re.search(f'"{package}[<>=]', Path("pyproject.toml").read_text()):  # its example runs nowhere else
        example = "tests/test_documents.py::test_each_example_runs_as_ever_under_turnspan_run"
        files += [f"{example}[{path.stem}]" for path in Path("examples").glob(f"{name}_*.py")]
    if runtime == "mcp":
        files.append("tests/runtimes/test_fastmcp.py")
    if runtime == "oats_coder":
        files += ["tests/runtimes/test_combinations.py", "tests/runtimes/test_broken_streams.py"]
    # a runtime's own deprecation warnings, and those of releases from years ago, are not ours
    command = ["python", "-m", "pytest", "-q", *files, "-W", "default", "-p", "no:cacheprovider", *session.posargs]
    session.run(*command, env={"PLAYS": runtime})
