"""Whatever agents pass around becomes JSON that any reader takes, and never an exception."""

import dataclasses
import enum
import json
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnspan.events import ToolCallEnded, Usage
from turnspan.model.json_values import arguments_of, encode, folded, plain, text_of


class Broken:
    def __repr__(self):
        raise RuntimeError("no repr")


@dataclasses.dataclass
class Point:
    x: int


class Color(enum.Enum):
    RED = "red"


cycle: list = []
cycle.append(cycle)

ODD = [
    b"\xff",
    {1, 2},
    float("nan"),
    float("inf"),
    cycle,
    "\ud800 lone",
    object(),
    Broken(),
    10**30,
    {("a", 1): 1},
    Path("/x"),
    Point(1),
    Color.RED,
    uuid.UUID(int=1),
    datetime(2026, 1, 1, tzinfo=UTC),
    ValueError("v"),
    type,
    lambda: 1,
    iter([1]),
    1 + 2j,
    [[[[[[]]]]]],
    {"deep": Point(b"x")},
    memoryview(b"m"),
    range(3),
]


@pytest.mark.parametrize("value", ODD, ids=lambda value: type(value).__name__)
def test_odd_values_become_json(value):
    for thing in (value, {"k": [value]}, ToolCallEnded(session_id="s", result={"r": value})):
        text = encode(thing)
        json.loads(text, parse_constant=lambda name: pytest.fail(f"bare {name}"))
    json.dumps(plain(value), allow_nan=False).encode()


def test_nan_keeps_its_name_and_none_stays_none():
    assert json.loads(encode({"a": float("nan"), "b": None})) == {"a": "nan", "b": None}


def test_surrogates_are_escaped_and_the_rest_of_the_text_is_kept():
    assert plain("ä\ud800🙂") == "ä\\ud800🙂"


def test_deep_nesting_is_cut_not_crashed():
    deep: list = []
    for _ in range(10_000):
        deep = [deep]
    assert json.loads(encode(deep))


def test_a_huge_text_is_kept_whole():
    started = time.perf_counter()
    assert len(encode("x" * 50_000_000)) == 50_000_002
    assert time.perf_counter() - started < 30


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(json_values)
def test_what_is_json_already_stays_what_it_is(value):
    """Text with lone surrogates is the one thing that no JSON reader takes."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return
    assert plain(value) == value
    assert json.loads(encode(value)) == value


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ('{"a": 1}', {"a": 1}),
        ({"a": 1}, {"a": 1}),
        (None, {}),
        ("", {}),
        ("text", {"input": "text"}),
        ("{bad", {"input": "{bad"}),
        ([1], {"input": [1]}),
    ],
)
def test_arguments_are_a_mapping(given, expected):
    assert arguments_of(given) == expected


def test_the_text_of_a_message_list_is_what_the_user_said_last():
    messages = [
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "x"},
        {"role": "user", "content": [{"type": "input_text", "text": "last"}]},
    ]
    assert text_of(messages) == "last"
    assert text_of(None) == ""
    assert text_of({"a": 1}) == '{"a":1}'


def test_folding_says_how_much_is_left_out():
    assert folded("a" * 300, 10) == "aaaaaaaaaa... (+290)"
    assert folded("one\n  two") == "one two"


def test_usage_is_encoded_without_what_is_unknown():
    assert encode(Usage(input_tokens=1)) == b'{"input_tokens":1}'
