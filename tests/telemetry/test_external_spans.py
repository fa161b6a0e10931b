"""Where code inside of other people's spans is, is known for as long as that matters."""

from turnspan.adapter import CurrentContext
from turnspan.telemetry.external_spans import ExternalSpans


def test_spans_whose_end_nobody_sees_are_forgotten_at_last() -> None:
    """A provider that was made before turnspan was there shows no end; what stands on its spans takes no more and more memory."""
    spans = ExternalSpans()
    for span_id in range(30_000):
        spans.place(span_id, CurrentContext("s-1", "t-1", None, None))
    assert len(spans) < 15_000
    assert spans.contexts.get(29_999) is not None and spans.contexts.get(0) is None
