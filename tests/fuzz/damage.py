"""Damages a model file: bytes at random, or values inside its tables."""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import flatbuffers
import numpy as np
import onnx
from ai_edge_litert import schema_py_generated as schema
from corpus import Original
from google.protobuf.message import DecodeError, Message
from places import PLACES

INTEGERS = (
    *(0, 1, -1, 2, 3, 4, 5, 7, 8, 16, -2, -128, 127, 128, 255, 256, 32767, 32768, 65535, 65536),
    *(10**6, 2**30, 2**31 - 1, -(2**31), 2**32 - 1, 2**62, -(2**63)),
)
FLOATS = (
    *(0.0, -0.0, -1.0, 1.0, 0.5, float("nan"), float("inf"), -float("inf"), 1e-45, 1e-38, 1e-20),
    *(1e-7, 1e-3, 1e3, 1e10, 3e38),
)
MOST_CHANGES = 4


def damaged(original: Original, seed: int) -> bytes:
    """The file with a few things changed; the seed decides which."""
    draw = random.Random(seed)  # noqa: S311  # reproducible, not secret
    ways = _RAW if draw.random() < 0.3 else _STRUCTURED[original.suffix]
    data = original.data
    for _ in range(draw.choice((1, 1, 1, 2, MOST_CHANGES))):
        data = draw.choice(ways)(data, draw)
    return data


# --------------------------------------------------------------------------- raw bytes


def _flip_bits(data: bytes, draw: random.Random) -> bytes:
    damaged = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 8))):
        if damaged:
            damaged[draw.randrange(len(damaged))] ^= 1 << draw.randrange(8)
    return bytes(damaged)


def _set_bytes(data: bytes, draw: random.Random) -> bytes:
    place = draw.randrange(len(data) + 1)
    value = draw.choice((b"\0", b"\xff", b"\x7f", b"\x80", draw.randbytes(1)))
    count = draw.choice((1, 2, 4, 4, 8))
    return data[:place] + value * count + data[place + count :]


def _set_word(data: bytes, draw: random.Random) -> bytes:
    """An aligned 32-bit word: flatbuffers are made of offsets and lengths."""
    place = draw.randrange(len(data) // 4 + 1) * 4
    old = int.from_bytes(data[place : place + 4], "little")
    new = draw.choice((*INTEGERS, old + 4, old - 4, old * 2, place, -place, len(data)))
    return data[:place] + (new % 2**32).to_bytes(4, "little") + data[place + 4 :]


def _cut(data: bytes, draw: random.Random) -> bytes:
    return data[: draw.randrange(len(data) + 1)]


def _remove(data: bytes, draw: random.Random) -> bytes:
    place = draw.randrange(len(data) + 1)
    return data[:place] + data[place + draw.choice((1, 4, 16, 100)) :]


def _insert(data: bytes, draw: random.Random) -> bytes:
    place = draw.randrange(len(data) + 1)
    return data[:place] + draw.randbytes(draw.choice((1, 4, 16, 100))) + data[place:]


def _copy(data: bytes, draw: random.Random) -> bytes:
    """A piece of the file over another."""
    count = draw.choice((4, 8, 32, 128))
    source, place = draw.randrange(len(data) + 1), draw.randrange(len(data) + 1)
    return data[:place] + data[source : source + count] + data[place + count :]


# --------------------------------------------------------------------------- single values


def _other_value(value: Any, draw: random.Random) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        near = (value + 1, value - 1, value * 2, -value, value // 2, value + 256)
        return draw.choice((*near, draw.choice(INTEGERS)))
    if isinstance(value, float):
        return draw.choice((-value, value * 1e-9, value * 1e9, value * 1.01, draw.choice(FLOATS)))
    if isinstance(value, bytes):
        return draw.choice((b"", value[:-1], value + b"x", draw.randbytes(len(value))))
    if isinstance(value, str):
        return draw.choice(("", value + "x", "*/ x", "\n#error", value[:-1], "\0", "a" * 5000))
    return value


def _other_list(values: Sequence[Any], draw: random.Random) -> list[Any]:
    """One element more, less, changed or moved; now and then none at all."""
    changed = list(values)
    if not changed:
        return [draw.choice(INTEGERS)]
    place = draw.randrange(len(changed))
    way = draw.choice(("change", "change", "change", "remove", "repeat", "swap", "empty"))
    if way == "change":
        changed[place] = _other_value(changed[place], draw)
    elif way == "remove":
        del changed[place]
    elif way == "repeat":
        changed[place:place] = [changed[place]] * draw.choice((1, 1, 1, 3, 1000))
    elif way == "swap":
        other = draw.randrange(len(changed))
        changed[place], changed[other] = changed[other], changed[place]
    else:
        changed.clear()
    return changed


# --------------------------------------------------------------------------- tables of TFLite

Spot = tuple[Any, str]


def _change_tables(data: bytes, draw: random.Random) -> bytes:
    """One field of one table, or one element of a vector."""
    try:
        model = schema.ModelT.InitFromPackedBuf(data, 0)
        holder, field = draw.choice(list(_spots(model)))
        setattr(holder, field, _other_field(getattr(holder, field), draw))
        return _packed(model, len(data))
    except Exception:  # damaged before, or no longer to be written
        return _flip_bits(data, draw)


def _change_places(data: bytes, draw: random.Random) -> bytes:
    """Something that few models have: it is there afterwards, and mostly not as it should be."""
    try:
        model = schema.ModelT.InitFromPackedBuf(data, 0)
        table = draw.choice(PLACES)(model, draw)
        if draw.random() < 0.7:
            holder, field = draw.choice(list(_spots(table)))
            setattr(holder, field, _other_field(getattr(holder, field), draw))
        return _packed(model, len(data))
    except Exception:  # as above
        return _flip_bits(data, draw)


def _packed(model: Any, size: int) -> bytes:
    builder = flatbuffers.Builder(size)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _change_constants(data: bytes, draw: random.Random) -> bytes:
    """Elements of a constant, such as axes, paddings, shapes and biases."""
    try:
        model = schema.ModelT.InitFromPackedBuf(data, 0)
        filled = [b for b in model.buffers if b.data is not None and len(b.data)]
        buffer = draw.choice(filled)
        raw = bytes(buffer.data)
        kind = np.dtype(draw.choice(("<i4", "<i4", "<i8", "<f4", "i1")))
        values = np.frombuffer(raw[: len(raw) // kind.itemsize * kind.itemsize], kind).tolist()
        changed = _other_list(values, draw)
        with np.errstate(all="ignore"):
            kept = [np.array(v).astype(kind) for v in changed]
        new = b"".join(v.tobytes() for v in kept)
        buffer.data = np.frombuffer(new, np.uint8)
        return _packed(model, len(data))
    except Exception:  # as above
        return _flip_bits(data, draw)


def _spots(table: Any) -> Iterator[Spot]:
    """Every field of every table of a model."""
    for field, value in vars(table).items():
        yield table, field
        if hasattr(value, "__dict__"):
            yield from _spots(value)
        elif isinstance(value, list):
            for element in value:
                if hasattr(element, "__dict__"):
                    yield from _spots(element)


def _other_field(value: Any, draw: random.Random) -> Any:
    if isinstance(value, np.ndarray):
        changed = _other_list(value.tolist(), draw)
        with np.errstate(all="ignore"):
            clipped = [_fit(element, value.dtype) for element in changed]
        return np.array(clipped, value.dtype)
    if isinstance(value, list):
        return _other_list(value, draw)
    if value is None:
        return draw.choice((None, np.array([draw.choice(INTEGERS[:20])], np.int32)))
    if hasattr(value, "__dict__"):
        return None
    return _other_value(value, draw)


def _fit(value: Any, dtype: np.dtype[Any]) -> Any:
    if dtype.kind not in "iu":
        return value
    limits = np.iinfo(dtype)
    return min(max(int(value), int(limits.min)), int(limits.max))


# --------------------------------------------------------------------------- messages of ONNX


def _change_messages(data: bytes, draw: random.Random) -> bytes:
    """One field of one message, or one element of a repeated one."""
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
        message, field = draw.choice(list(_message_spots(model)))
        _change_message(message, field, draw)
        return model.SerializeToString()
    except (DecodeError, ValueError, TypeError, OverflowError, IndexError, AttributeError):
        return _flip_bits(data, draw)


def _message_spots(message: Message) -> Iterator[tuple[Message, Any]]:
    for field, value in message.ListFields():
        yield message, field
        if isinstance(value, Message):
            yield from _message_spots(value)
        elif hasattr(value, "__len__") and not isinstance(value, (str, bytes)):
            for element in value:
                if isinstance(element, Message):
                    yield from _message_spots(element)


def _change_message(message: Message, field: Any, draw: random.Random) -> None:
    value = getattr(message, field.name)
    if isinstance(value, Message) or draw.random() < 0.05:
        message.ClearField(field.name)
    elif isinstance(value, (str, bytes, int, float)):
        setattr(message, field.name, _other_value(value, draw))
    elif len(value) and isinstance(value[0], Message):
        kept = _other_list([element.SerializeToString() for element in value], draw)
        message.ClearField(field.name)
        for element in kept:
            getattr(message, field.name).add().ParseFromString(element)
    else:
        kept = _other_list(list(value), draw)
        message.ClearField(field.name)
        getattr(message, field.name).extend(kept)


Way = Callable[[bytes, random.Random], bytes]
_ANYWHERE: tuple[Way, ...] = (_flip_bits, _set_bytes, _cut, _remove, _insert, _copy)
_RAW: tuple[Way, ...] = (*_ANYWHERE, _set_word, _set_word)
_STRUCTURED: dict[str, tuple[Way, ...]] = {
    "tflite": (_change_tables, _change_tables, _change_constants, _change_places, _change_places),
    "onnx": (_change_messages,),
}
