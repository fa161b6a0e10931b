"""Mutations: requests as a broken or hostile sender makes them, from good ones. The same seed always gives the same."""

import json

ODD = (0, -1, 2**31, 2**63, 2**64, 1e308, float("inf"), "", "x" * 5000, "\x00", "\ud800", None, True, [], {}, [[[]]])
BYTES = (b"\x00", b"\xff", b"\x80", b"\x7f", b"\x0a", b"\x12", b"\x1a", b"\xff\xff\xff\xff\x0f", b"\xfe" * 9)


def mutated_bytes(body, dice):
    """Return bytes with some changed, cut out, doubled, put elsewhere; lengths and tags of protobuf are hit most."""
    made = bytearray(body)
    for _ in range(dice.choice((1, 1, 2, 4, 16))):
        at, other = dice.randrange(len(made) or 1), dice.randrange(len(made) or 1)
        size = dice.choice((1, 1, 2, 8, 64))
        kind = dice.randrange(6)
        if kind == 0 and made:
            made[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            made[at : at + size] = dice.choice(BYTES)
        elif kind == 2:
            del made[at : at + size]
        elif kind == 3:
            made[at:at] = made[other : other + size]
        elif kind == 4:
            made[at : at + size] = made[other : other + size]
        else:
            del made[at:]
    return bytes(made)


def mutated_json(document, dice):
    """Return a document with some of its values replaced, doubled, moved or nested; now and then with its text broken."""
    made = json.loads(json.dumps(document))
    places = list(_places(made))
    for _ in range(dice.choice((1, 1, 2, 4, 16))):
        holder, key = dice.choice(places)
        if key not in (holder if isinstance(holder, dict) else range(len(holder))):
            continue
        kind = dice.randrange(6)
        if kind == 0:
            holder[key] = dice.choice(ODD)
        elif kind == 1:
            other, from_key = dice.choice(places)
            if from_key in (other if isinstance(other, dict) else range(len(other))):
                holder[key] = json.loads(_text(other[from_key]))
        elif kind == 2:
            del holder[key]
        elif kind == 3 and isinstance(holder, dict):
            holder[dice.choice(("traceId", "spanId", "attributes", "value", "arrayValue", key + "x"))] = holder[key]
        elif kind == 4:
            for _ in range(dice.choice((1, 30, 200))):
                holder[key] = [holder[key]]
        elif isinstance(holder[key], str):
            holder[key] = holder[key][: dice.randrange(len(holder[key]) + 1)] + dice.choice(("[", "\\u0000", "{", "é"))
    text = _text(made).encode("utf-8", "surrogatepass")
    return mutated_bytes(text, dice) if dice.random() < 0.2 else text


def _text(value):
    try:
        return json.dumps(value)
    except (RecursionError, ValueError):
        return "null"


def _places(value):
    for key, one in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(one, (dict, list)):
            yield from _places(one)
