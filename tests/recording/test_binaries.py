"""Images in content: a digest of each, and nothing else is kept of it."""

import base64
import json
import random
from hashlib import sha256

import pytest

from turnspan.events import ModelCallStarted, ToolCallEnded
from turnspan.model.json_values import encode
from turnspan.recording.binaries import LARGE, may_have_binaries
from turnspan.recording.redaction import Redactor

IMAGE = base64.b64encode(bytes(range(256)) * 2000).decode()
DIGEST = f"[cut {len(IMAGE)} characters, sha256 {sha256(IMAGE.encode()).hexdigest()}]"


def taken(content, **settings):
    """Return the content of a message as it is kept, which the event and its encoding agree on."""
    messages = [{"role": "user", "content": content}]
    event = ModelCallStarted(session_id="s", turn_id="t", call_id="c", provider="p", messages=messages)
    kept, line = Redactor(**settings).take(event)
    assert json.loads(line)["messages"] == kept.messages
    assert messages == [{"role": "user", "content": content}], "the program's own messages are as they were"
    return kept.messages[0]["content"]


@pytest.mark.parametrize("settings", [{}, {"limit": 400_000}, {"rules": "none"}])
def test_of_a_large_image_its_type_its_length_and_its_digest_are_kept(settings):
    """In the words of each provider; the text beside it is whole."""
    text = {"type": "text", "text": "what is this?"}
    assert taken([text, {"image_url": {"url": f"data:image/png;base64,{IMAGE}"}}], **settings) == [
        text,
        {"image_url": {"url": f"data:image/png;base64,{DIGEST}"}},
    ]
    assert taken([{"source": {"type": "base64", "data": IMAGE}}], **settings) == [
        {"source": {"type": "base64", "data": DIGEST}}
    ]


def test_long_text_and_small_images_are_kept():
    """Text is kept to the last character however long it is, also where it has no spaces."""
    for text in ("x" * 300_000, "0123456789abcdef" * 20_000, IMAGE + " and words " + IMAGE):
        assert taken(text) == text
    assert taken("a long story, " * 50_000) == "a long story, " * 50_000
    assert taken([{"url": "data:image/png;base64,aGVsbG8="}]) == [{"url": "data:image/png;base64,aGVsbG8="}]


def test_a_document_of_many_values_is_not_walked():
    """Only where a stretch of the encoded event can be base64 is it looked into; wherever that begins, it is seen."""
    many = encode(ToolCallEnded(session_id="s", result=[{"id": n, "text": "some words"} for n in range(40_000)]))
    assert len(many) > 4 * LARGE and not may_have_binaries(many)
    data = base64.b64encode(random.Random(1).randbytes(LARGE)).decode()[: LARGE + 1]
    for before in (0, 1, LARGE // 2 - 1, LARGE // 2, LARGE + 7):
        assert may_have_binaries(encode(ToolCallEnded(session_id="s", result=["a b " * (before // 4), data, "c"])))
