"""Whatever agents pass around becomes JSON that any reader takes, and never an exception."""

import dataclasses
import enum
import itertools
import json
import signal
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnspan.events import Noted, ToolCallEnded, Usage
from turnspan.model.json_values import MAX_DEPTH, MAX_ITEMS, arguments_of, encode, folded, plain, text_of


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
    """Whatever a tool returns becomes valid JSON."""
    for thing in (value, {"k": [value]}, ToolCallEnded(session_id="s", result={"r": value})):
        text = encode(thing)
        json.loads(text, parse_constant=lambda name: pytest.fail(f"bare {name}"))
    json.dumps(plain(value), allow_nan=False).encode()


def test_nan_keeps_its_name_and_none_stays_none():
    """JSON has no NaN: its name is kept, and None is null."""
    assert json.loads(encode({"a": float("nan"), "b": None})) == {"a": "nan", "b": None}


def test_surrogates_are_escaped_and_the_rest_of_the_text_is_kept():
    """A lone surrogate is escaped; the letters around it stay."""
    assert plain("ä\ud800🙂") == "ä\\ud800🙂"


@pytest.mark.parametrize("around", [lambda x: [x], lambda x: {"]": x, "k": '\\"]'}])
def test_what_lies_too_deep_is_text_on_every_python(around):
    """Some Pythons' encoders take thousands of levels, which no reader would take again."""
    deep = 1
    for _ in range(MAX_DEPTH - 1):
        deep = around(deep)
    assert json.loads(encode(deep)) == deep
    deep = around(around(around(deep)))
    kept, levels = json.loads(encode(deep)), 0
    while not isinstance(kept, str):
        kept, levels = (kept[0] if isinstance(kept, list) else kept["]"]), levels + 1
    assert levels == MAX_DEPTH


def test_deep_nesting_is_cut_not_crashed():
    """Ten thousand lists in each other do not raise."""
    deep: list = []
    for _ in range(10_000):
        deep = [deep]
    assert json.loads(encode(deep))


def test_a_huge_text_is_kept_whole():
    """Fifty megabytes of text lose nothing, and take seconds at most."""
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
    """But for text with lone surrogates, which no JSON reader takes, and NUL, which PostgreSQL does not."""
    try:
        text = json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return
    if b"\\u0000" in text:
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
    """Arguments as text, mapping or anything else become a mapping."""
    assert arguments_of(given) == expected


def test_the_text_of_a_message_list_is_what_the_user_said_last():
    """The prompt of a list of messages is the last text of the user."""
    messages = [
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "x"},
        {"role": "user", "content": [{"type": "input_text", "text": "last"}]},
    ]
    assert text_of(messages) == "last"
    assert text_of(None) == ""
    assert text_of({"a": 1}) == '{"a":1}'


def test_folding_says_how_much_is_left_out():
    """A text that is cut says how many characters are missing."""
    assert folded("a" * 300, 10) == "aaaaaaaaaa... (+290)"
    assert folded("one\n  two") == "one two"


def test_usage_is_encoded_without_what_is_unknown():
    """Counts that a provider did not give take no room."""
    assert encode(Usage(input_tokens=1)) == b'{"input_tokens":1}'


class Counted:
    """An object that counts how often it is asked what it is, beside values that make the encoder begin anew."""

    asked = 0

    def __repr__(self):
        type(self).asked += 1
        return "counted"


@pytest.mark.parametrize("beside", ["", "null", "\ud800", float("nan"), "a\0b", 10**30])
def test_an_object_is_asked_once_what_it_is(beside):
    """A slow ``__repr__`` costs its time once, whatever else is in the event."""
    Counted.asked = 0
    encode(ToolCallEnded(session_id="s", arguments={"x": beside}, result=[Counted(), beside]))
    assert Counted.asked == 1


@pytest.mark.parametrize("raised", [SystemExit, KeyboardInterrupt, GeneratorExit, BaseException])
def test_what_content_raises_stays_inside(raised):
    """An object whose ``__repr__`` or ``model_dump`` raises whatever it likes ends neither the agent nor the event."""

    class Hostile:
        def __repr__(self):
            raise raised

    class Model:
        def model_dump(self, **_):
            raise raised

        __repr__ = Hostile.__repr__

    assert b"Hostile" in encode(Noted(session_id="s", name="n", data={"k": [Hostile()]}))
    assert b"Model" in encode([Model()])


def test_the_interrupt_of_a_user_goes_on():
    """A Ctrl-C that arrives while content is looked at is the user's, and must stop the program."""

    class Slow:
        def __repr__(self):
            signal.raise_signal(signal.SIGINT)
            return "never"

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # shells ignore it for what runs behind them
    try:
        with pytest.raises(KeyboardInterrupt):
            encode([Slow()])
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_mapping_without_end_is_cut():
    """A mapping of a class of its own may never end."""

    class Endless(Mapping):
        def __getitem__(self, key):
            return key

        def __iter__(self):
            return itertools.count()

        def __len__(self):
            return 1

    assert len(plain({"m": Endless()})["m"]) == MAX_ITEMS


def test_no_method_of_an_object_is_called_that_its_class_does_not_have():
    """An object that answers to every name is not asked to dump itself."""
    called = []

    class Any:
        def __getattr__(self, name):
            return lambda *_, **__: called.append(name)

    encode([Any()])
    assert called == []


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 2**70, -(2**70), 10**25])
def test_integers_that_no_store_takes_are_text_wherever_they_stand(number):
    """What is written is what is read back from any store: an integer of more than 64 bits is its digits."""
    for value in (number, [number], {"a": {"b": [1, number]}}, {"a": number, "b": object()}):
        assert f'"{number}"'.encode() in encode(value)
    assert encode([2**64 - 1, -(2**63)]) == b"[18446744073709551615,-9223372036854775808]"
