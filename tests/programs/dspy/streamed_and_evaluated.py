"""A program whose answer is streamed, and one that is evaluated: each example is a turn.

https://dspy.ai/tutorials/streaming/ and https://dspy.ai/learn/evaluation/metrics/
"""

import asyncio
import os

import dspy

dspy.configure_cache(enable_disk_cache=False, enable_memory_cache=False)
dspy.disable_logging()
address = {"api_base": os.environ["OPENAI_BASE_URL"], "stream_options": {"include_usage": True}}
dspy.configure(lm=dspy.LM("openai/gpt-4o-mini", **address, cache=False, num_retries=0))


class Ask(dspy.Module):
    def __init__(self) -> None:
        super().__init__()
        self.answer = dspy.Predict("question -> answer")

    async def aforward(self, question: str) -> dspy.Prediction:
        return await self.answer.acall(question=question)

    def forward(self, question: str) -> dspy.Prediction:
        return self.answer(question=question)


async def main() -> None:
    listeners = [dspy.streaming.StreamListener(signature_field_name="answer")]
    ask = dspy.streamify(Ask(), stream_listeners=listeners, is_async_program=True)
    async for piece in ask(question="Why did a chicken cross the kitchen?"):
        if isinstance(piece, dspy.streaming.StreamResponse):
            print(repr(piece.chunk), end=" ")
        else:
            print(piece.answer)


asyncio.run(main())
examples = [dspy.Example(question=f"{n} + 1?", answer=str(n + 1)).with_inputs("question") for n in (1, 2)]
evaluate = dspy.Evaluate(
    devset=examples,
    metric=lambda example, prediction, trace=None: example.answer == prediction.answer,
    num_threads=1,
    display_progress=False,
)
print(len(evaluate(Ask()).results))


NEEDS = ["dspy>=3.4.1"]
MODEL = [
    "[[ ## answer ## ]]\nTo get to the other side of the dish.\n[[ ## completed ## ]]",
    "[[ ## answer ## ]]\n2\n[[ ## completed ## ]]",
    "[[ ## answer ## ]]\n4\n[[ ## completed ## ]]",
]
RECORD = """
session
  turn Ask
    > 1 + 1?
    model gpt-4o-mini 10+2
    < 2
session
  turn Ask
    > 2 + 1?
    model gpt-4o-mini 10+2
    < 4
session
  turn Ask
    > Why did a chicken cross the kitchen?
    model gpt-4o-mini 10+2
    < To get to the other side of the dish.
"""
