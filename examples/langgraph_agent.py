"""A LangGraph program that knows nothing of turnspan: an agent with tools, one failing, in a thread of two turns.

turnspan run examples/langgraph_agent.py
"""

from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode


class ScriptedModel(BaseChatModel):
    """Says what it is told to say; no network."""

    script: list[AIMessage]

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, **kwargs: Any) -> "ScriptedModel":
        return self

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self.script.pop(0))])


@tool
def find_invoice(number: str) -> str:
    """Look an invoice up."""
    return f"invoice {number}: 42.00 EUR, paid twice"


@tool
def refund(number: str) -> str:
    """Pay an invoice back."""
    msg = f"the bank did not answer for {number}"
    raise ConnectionError(msg)


def says(text: str, *calls: tuple[str, str]) -> AIMessage:
    wanted = [{"name": name, "args": {"number": "7"}, "id": call_id, "type": "tool_call"} for name, call_id in calls]
    used = {"input_tokens": 120, "output_tokens": 18, "total_tokens": 138}
    return AIMessage(text, tool_calls=wanted, usage_metadata=used, response_metadata={"model_name": "scripted-1"})


model = ScriptedModel(
    script=[
        says("Hello! How can I help?"),
        says("", ("find_invoice", "c1"), ("refund", "c2")),
        says("You paid twice. The bank is down, I will refund you tomorrow."),
    ]
)


def answer(state: MessagesState) -> dict[str, Any]:
    return {"messages": [model.invoke(state["messages"])]}


def next_step(state: MessagesState) -> str:
    last = state["messages"][-1]
    return "tools" if isinstance(last, AIMessage) and last.tool_calls else END


graph = (
    StateGraph(MessagesState)
    .add_node("answer", answer)
    .add_node("tools", ToolNode([find_invoice, refund], handle_tool_errors=True))
    .add_edge(START, "answer")
    .add_conditional_edges("answer", next_step)
    .add_edge("tools", "answer")
    .compile(checkpointer=InMemorySaver(), name="billing")
)

if __name__ == "__main__":
    thread = {"configurable": {"thread_id": "support-42"}}
    for question in ("Hi", "I paid invoice 7 twice"):
        state = graph.invoke({"messages": [("user", question)]}, thread)
        print(state["messages"][-1].content)
    assert any(isinstance(message, ToolMessage) for message in state["messages"])
