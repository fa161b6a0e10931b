"""The program of ``turnspan demo``: a support desk of two agents, with tools of which one fails; no network."""

import turnspan


@turnspan.tool
def find_invoice(number: int) -> dict[str, object]:
    """Look an invoice up."""
    return {"number": number, "amount": "42.00 EUR", "state": "paid twice"}


@turnspan.tool
def refund(number: int, amount: str) -> str:
    """Pay an invoice back."""
    raise ConnectionError(f"the bank did not answer while refunding {amount} of invoice {number}")


@turnspan.model_call("demo-model-1", provider="demo")
def think(question: str) -> str:
    """Stand in for a model: no network here."""
    return {"Hi": "Hello! How can I help?", "7": "It was paid twice."}.get(question, "The bank is down; you get it tomorrow.")


def answer(question: str) -> str:
    """Answer one prompt: triage greets, billing takes over what is about money."""
    with turnspan.turn(agent="triage", prompt=question) as turn:
        said = think("Hi" if question == "Hi" else "route")
        if "invoice" in question:
            turn.handoff("billing", reason="it is about an invoice")
            find_invoice(7)
            said = think("7")
            try:
                refund(7, amount="42.00 EUR")
            except ConnectionError:
                said += " " + think("failed")
        turn.response = said
        return said


with turnspan.session("demo-support-42", workspace="demo"):
    for prompt in ("Hi", "I paid invoice 7 twice", "Thanks"):
        print(f"user:  {prompt}\nagent: {answer(prompt)}")
