"""Interrupts: a draft that a human edits, a tool that asks before it acts, two questions at once.

https://docs.langchain.com/oss/python/langgraph/interrupts
"""

import operator
from typing import Annotated, Literal, TypedDict

from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import Command, interrupt


@tool
def send_email(to: str, subject: str) -> str:
    """Send an email."""
    answer = interrupt({"action": "send_email", "to": to, "subject": subject})
    if answer["type"] == "reject":
        return "The user rejected this."
    return f"sent to {answer.get('to', to)}"


model = ChatOpenAI(model="gpt-5").bind_tools([send_email])
mail = StateGraph(MessagesState)
mail.add_node("agent", lambda state: {"messages": [model.invoke(state["messages"])]})
mail.add_node("tools", ToolNode([send_email]))
mail.add_edge(START, "agent")
mail.add_conditional_edges("agent", tools_condition)
mail.add_edge("tools", "agent")
mailer = mail.compile(checkpointer=InMemorySaver(), name="mailer")

config = {"configurable": {"thread_id": "mail-7"}}
result = mailer.invoke({"messages": [("user", "Write to Ann about lunch")]}, config)
(asked,) = result["__interrupt__"]
print(asked.value)
result = mailer.invoke(Command(resume={"type": "approve", "to": "ann@example.com"}), config)
print(result["messages"][-1].text)


class Form(TypedDict):
    answers: Annotated[list[str], operator.add]
    approved: bool


def ask_chief(_state: Form) -> dict:
    return {"answers": ["chief " + interrupt("May the chief see it?")]}


def ask_clerk(_state: Form) -> dict:
    return {"answers": ["clerk " + interrupt("May the clerk see it?")]}


def approve(state: Form) -> Command[Literal["done", "__end__"]]:
    decision = interrupt({"question": "Approve?", "answers": state["answers"]})
    return Command(goto="done" if decision else END, update={"approved": decision})


form = StateGraph(Form)
for node in (ask_chief, ask_clerk, approve):
    form.add_node(node)
form.add_node("done", lambda _state: {"answers": ["filed"]})
form.add_edge(START, "ask_chief")
form.add_edge(START, "ask_clerk")
form.add_edge(["ask_chief", "ask_clerk"], "approve")
filing = form.compile(checkpointer=InMemorySaver(), name="form")
config = {"configurable": {"thread_id": "form-8"}}
asked = filing.invoke({"answers": []}, config)["__interrupt__"]
print([one.value for one in asked])
asked = filing.invoke(Command(resume={one.id: "yes" for one in asked}), config)["__interrupt__"]
print(asked[0].value)
print(filing.invoke(Command(resume=True), config))

NEEDS = ["langgraph>=1.0", "langchain-openai>=1.0"]
MODEL = [[("send_email", {"to": "ann", "subject": "lunch"}, "e1")], "It is sent."]
RECORD = """
session form-8
  turn form
    > {"answers":[]}
    note interrupt {"value": "May the chief see it?", "interrupt_id": "(id)"}
    note interrupt {"value": "May the clerk see it?", "interrupt_id": "(id)"}
    < {"answers":[]}
  turn form
    > {"(id)":"yes","(id)":"yes"}
    agent ask_chief
    agent ask_clerk
    note interrupt {"value": {"question": "Approve?", "answers": ["chief yes", "clerk yes"]}, "interrupt_id": "(id)"}
    < {"answers":["chief yes","clerk yes"]}
  turn form
    > true
    agent approve
    agent done
    < {"answers":["chief yes","clerk yes","filed"],"approved":true}
session mail-7
  turn mailer
    > Write to Ann about lunch
    model gpt-5 10+2
    tool send_email(to=ann, subject=lunch) SKIPPED waits for an answer
    note interrupt {"value": {"action": "send_email", "to": "ann", "subject": "lunch"}, "interrupt_id": "(id)"}
  turn mailer
    > {"type":"approve","to":"ann@example.com"}
    tool send_email(to=ann, subject=lunch) = sent to ann@example.com
    model gpt-5 10+2
    < It is sent.
"""
