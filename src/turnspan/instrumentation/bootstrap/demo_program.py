"""The program of ``turnspan demo``: a support desk of two agents, with tools of which one fails; no network."""

import turnspan


@turnspan.tool
def find_invoice(number: int) -> dict[str, object]:
    """Look an invoice up."""
    return {"number": number, "amount": "42.00 EUR", "state": "paid twice"}


@turnspan.tool
def refund(number: int, amount: str) -> str:
    """Pay an invoice back."""
    raise ConnectionError(f"the bank did not answer for {amount}")


ANSWERS = {
    "Hi": "Hello! How can I help?",
    "I paid invoice 7 twice": "Let me hand you over to billing.",
    "invoice 7": "You paid invoice 7 twice.",
    "no refund": "The bank does not answer; you get your money tomorrow.",
    "Thanks": "You are welcome.",
}


def think(question: str) -> str:
    """Stand in for a model: no network here."""
    with turnspan.model_call("demo-model-1", provider="demo", messages=[{"role": "user", "content": question}]) as call:
        call.output = ANSWERS[question]
        call.usage = turnspan.Usage(input_tokens=len(question), output_tokens=len(call.output))
        return str(call.output)


def answer(question: str) -> str:
    """Answer one prompt: triage greets, billing takes over what is about money."""
    with turnspan.turn(agent="triage", prompt=question) as turn:
        said = think(question)
        if "invoice" in question:
            turn.handoff("billing", reason="it is about an invoice")
            find_invoice(7)
            said = think("invoice 7")
            try:
                refund(7, amount="42.00 EUR")
            except ConnectionError:
                said += " " + think("no refund")
        turn.response = said
        return said


with turnspan.session("demo-support-42", workspace_id="demo"):
    for prompt in ("Hi", "I paid invoice 7 twice", "Thanks"):
        print(f"user:  {prompt}\nagent: {answer(prompt)}")
