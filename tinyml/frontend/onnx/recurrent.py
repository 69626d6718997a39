"""ONNX's LSTM, GRU and RNN as the operators of all their steps, one after another.

Nothing is kept from one inference to the next: every sequence starts from the node's initial state,
as ONNX has it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tinyml.frontend.onnx.steps import Steps
from tinyml.ir.graph import Array, Shape

DEFAULT_ACTIVATIONS = {"LSTM": ("Sigmoid", "Tanh", "Tanh"), "GRU": ("Sigmoid", "Tanh")}
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
DIRECTIONS = {"forward": (False,), "reverse": (True,), "bidirectional": (False, True)}
# Places of the optional inputs.
BIAS, LENGTHS, STATE, CELL, PEEPHOLES = 3, 4, 5, 6, 7


@dataclass(frozen=True, slots=True)
class Direction:
    """One direction's parameters: gates along the last dimension, and the state it starts from.

    ``state`` and ``cell`` are empty where they start at zero.
    """

    input_weights: Array
    hidden_weights: Array
    input_bias: Array
    hidden_bias: Array
    state: str
    cell: str


# Gates of one step (from the input) and the state before it to the state after it.
Step = Callable[[Steps, Direction, str, str, str], tuple[str, str]]


def lstm(steps: Steps) -> None:
    """Gates are input, output, forget and cell."""
    _unrolled(steps, _lstm_step)


def gru(steps: Steps) -> None:
    """Gates are update, reset and hidden."""
    _unrolled(steps, _gru_step)


def rnn(steps: Steps) -> None:
    """One gate, the state itself."""
    _unrolled(steps, _rnn_step)


def _unrolled(steps: Steps, step: Step) -> None:
    _refuse_variants(steps)
    reversals = DIRECTIONS[steps.attribute("direction", "forward")]
    sequences, lasts, cells = list[str](), list[str](), list[str]()
    for number, is_reverse in enumerate(reversals):
        direction = _direction(steps, number, len(reversals))
        states, cell = _states(steps, direction, step, is_reverse=is_reverse)
        lasts.append(states[0 if is_reverse else -1])
        cells.append(cell)
        joined = steps.add("Concat", *states, axis=0) if len(states) > 1 else states[0]
        sequences.append(steps.add("Unsqueeze", joined, steps.constant([1], np.int64)))
    for index, (parts, axis) in enumerate(((sequences, 1), (lasts, 0), (cells, 0))):
        if index < len(steps.node.outputs) and steps.node.outputs[index]:
            steps.write(steps.node.outputs[index], "Concat", *parts, axis=axis)


def _refuse_variants(steps: Steps) -> None:
    node, kind = steps.node, steps.node.op_type
    _require_shapes(steps)
    if steps.attribute("layout", 0):
        raise steps.error("has batches first (layout 1), expected steps first")
    if steps.attribute("clip", 0.0) or steps.attribute("input_forget", 0):
        raise steps.error("has a clip or coupled gates, expected neither")
    if steps.attribute("direction", "forward") not in DIRECTIONS:
        raise steps.error(f"has direction {steps.attribute('direction', '')}")
    expected = DEFAULT_ACTIVATIONS.get(kind, ("Tanh",))
    count = len(DIRECTIONS[steps.attribute("direction", "forward")])
    activations = tuple(steps.attribute("activations", expected * count))
    if tuple(map(_text, activations)) != expected * count:
        raise steps.error(f"has activations {activations}, expected {expected} in each direction")
    if steps.input(LENGTHS) and np.unique(steps.value(LENGTHS)).tolist() != [steps.shapes[0][0]]:
        raise steps.error("has sequences of several lengths, expected all steps of each")
    if len(node.inputs) > PEEPHOLES and steps.input(PEEPHOLES):
        raise steps.error("has peepholes, expected none; train the layer without")


def _require_shapes(steps: Steps) -> None:
    """Input (steps, batch, values); weights (directions, gates x cells, values or cells)."""
    directions = len(DIRECTIONS.get(steps.attribute("direction", "forward"), (False,)))
    rows = steps.value(2).shape[1] if steps.value(2).ndim == 3 else 0
    cells = int(steps.attribute("hidden_size", rows // GATES[steps.node.op_type]))
    gates = GATES[steps.node.op_type] * cells
    expected: list[Shape] = [
        (directions, gates, steps.shapes[0][-1]),
        (directions, gates, cells),
    ]
    if steps.input(BIAS):
        expected.append((directions, 2 * gates))
    got = [steps.value(place).shape for place in range(1, 1 + len(expected))]
    if len(steps.shapes[0]) != 3 or 0 in steps.shapes[0] or cells == 0 or got != expected:
        raise steps.error(
            f"input {steps.shapes[0]} and parameters {got} do not fit together, expected "
            f"parameters {expected} and an input of 3 dimensions"
        )


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _direction(steps: Steps, number: int, directions: int) -> Direction:
    input_weights, hidden_weights = steps.value(1)[number], steps.value(2)[number]
    rows = len(hidden_weights)
    bias = steps.value(BIAS)[number] if steps.input(BIAS) else np.zeros(2 * rows, np.float32)
    return Direction(
        input_weights=input_weights.T,
        hidden_weights=hidden_weights.T,
        input_bias=bias[:rows],
        hidden_bias=bias[rows:],
        state=_initial(steps, STATE, number, directions),
        cell=_initial(steps, CELL, number, directions),
    )


def _initial(steps: Steps, place: int, number: int, directions: int) -> str:
    """State (1, batch, cells) to start from; empty where it is zero."""
    name = steps.input(place)
    if not name or (name in steps.known and not steps.known[name].any()):
        return ""
    return name if directions == 1 else _slice(steps, name, number, number + 1, 0)


def _states(
    steps: Steps, direction: Direction, step: Step, *, is_reverse: bool
) -> tuple[list[str], str]:
    """Hidden states (1, batch, cells) by time, and the last cell."""
    weights = steps.constant(direction.input_weights)
    gates = steps.add("MatMul", steps.input(0), weights)
    gates = steps.add("Add", gates, steps.constant(_bias_of_all(steps, direction)))
    count = steps.shapes[0][0]
    state, cell = direction.state, direction.cell
    states = [""] * count
    for time in reversed(range(count)) if is_reverse else range(count):
        now = gates if count == 1 else _slice(steps, gates, time, time + 1, 0)
        state, cell = step(steps, direction, now, state, cell)
        states[time] = state
    return states, cell


def _bias_of_all(steps: Steps, direction: Direction) -> Array:
    """What is added before any gate's function; a GRU's reset gate acts on part of it."""
    bias = direction.input_bias + direction.hidden_bias
    if steps.node.op_type == "GRU" and steps.attribute("linear_before_reset", 0):
        cells = len(bias) // 3
        bias[2 * cells :] = direction.input_bias[2 * cells :]
    return np.asarray(bias)


def _slice(steps: Steps, source: str, start: int, stop: int, axis: int) -> str:
    begin, end, axes = (steps.constant([value], np.int64) for value in (start, stop, axis))
    return steps.add("Slice", source, begin, end, axes)


def _gate(steps: Steps, source: str, number: int, cells: int) -> str:
    return _slice(steps, source, number * cells, (number + 1) * cells, 2)


def _lstm_step(
    steps: Steps, direction: Direction, gates: str, state: str, cell: str
) -> tuple[str, str]:
    cells = len(direction.hidden_weights)
    if state:
        product = steps.add("MatMul", state, steps.constant(direction.hidden_weights))
        gates = steps.add("Add", gates, product)
    enter, leave, forget = (
        steps.add("Sigmoid", _gate(steps, gates, number, cells)) for number in range(3)
    )
    new = steps.add("Mul", enter, steps.add("Tanh", _gate(steps, gates, 3, cells)))
    cell = steps.add("Add", steps.add("Mul", forget, cell), new) if cell else new
    return steps.add("Mul", leave, steps.add("Tanh", cell)), cell


def _gru_step(
    steps: Steps, direction: Direction, gates: str, state: str, cell: str
) -> tuple[str, str]:
    cells = len(direction.hidden_weights)
    update, reset, hidden = (_gate(steps, gates, number, cells) for number in range(3))
    if state:
        sides = np.split(direction.hidden_weights, (2 * cells,), axis=1)
        product = steps.add("MatMul", state, steps.constant(sides[0]))
        update = steps.add("Add", update, _gate(steps, product, 0, cells))
        reset = steps.add("Add", reset, _gate(steps, product, 1, cells))
    if state or steps.attribute("linear_before_reset", 0):
        hidden = steps.add(
            "Add", hidden, _kept_part(steps, direction, steps.add("Sigmoid", reset), state)
        )
    new = steps.add("Tanh", hidden)
    share = steps.add("Sigmoid", update)
    if not state:
        return steps.add("Sub", new, steps.add("Mul", share, new)), cell
    change = steps.add("Mul", share, steps.add("Sub", state, new))
    return steps.add("Add", new, change), cell


def _kept_part(steps: Steps, direction: Direction, reset: str, state: str) -> str:
    """What the state before gives to the hidden gate, after or before the reset."""
    cells = len(direction.hidden_weights)
    weights = direction.hidden_weights[:, 2 * cells :]
    if not steps.attribute("linear_before_reset", 0):
        return steps.add("MatMul", steps.add("Mul", reset, state), steps.constant(weights))
    bias = steps.constant(direction.hidden_bias[2 * cells :])
    if not state:
        return steps.add("Mul", reset, bias)
    product = steps.add("MatMul", state, steps.constant(weights))
    return steps.add("Mul", reset, steps.add("Add", product, bias))


def _rnn_step(
    steps: Steps, direction: Direction, gates: str, state: str, cell: str
) -> tuple[str, str]:
    if state:
        product = steps.add("MatMul", state, steps.constant(direction.hidden_weights))
        gates = steps.add("Add", gates, product)
    return steps.add("Tanh", gates), cell
