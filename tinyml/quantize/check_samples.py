"""Whether calibration data can be what the model will see, and what they do in it is sound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tinyml.data.dataset import plain_name
from tinyml.errors import InputError
from tinyml.ir.graph import Array, Graph
from tinyml.ops.div import Div
from tinyml.ops.mul import Mul
from tinyml.quantize.linear import linear_layers
from tinyml.quantize.observers import Range

# A model that multiplies its input by no more than this takes it on another scale than its weights.
SCALED_DOWN = 1 / 8
# Steps of 8 bits, and the fewest samples among which one can be told from the others.
STEPS = 255
FEWEST = 3


def calibration_warnings(graph: Graph, samples: Sequence[Array]) -> tuple[str, ...]:
    """One sentence for each input whose data look wrong.

    ``samples`` holds one array per input, (N, *input shape). Raises InputError where all of them
    are zeros: the ranges found would be of that alone.
    """
    inputs = dict(zip(graph.inputs, samples, strict=True))
    constant = {n: array for n, array in inputs.items() if array.min() == array.max()}
    if inputs and not any(array.any() for array in inputs.values()):
        raise InputError(
            f"{_all_the_same(constant)}, from which no ranges can be found; give samples as the "
            "model will see them"
        )
    warnings = [
        f"{_all_the_same({name: array})}, and ranges are found for that alone; give samples as the "
        "model will see them"
        for name, array in constant.items()
    ]
    for check in (_scaled_twice, _constant_channels):
        warnings += filter(None, (check(graph, name, array) for name, array in inputs.items()))
    return (*warnings, *_one_sample(samples), *_zero_weights(graph))


def outlier_warnings(
    largest: Mapping[str, Sequence[float]], ranges: Mapping[str, Range]
) -> tuple[str, ...]:
    """One sentence where single samples stretch ranges until the others are lost in a step.

    ``largest`` has the largest magnitude of each sample by tensor; ``ranges``, in the order of the
    graph, are those that an observer made of them.
    """
    found = [
        name for name in largest if name in ranges and _is_stretched(largest[name], ranges[name])
    ]
    if not found:
        return ()
    values = np.asarray(largest[found[0]])
    others = f", as in {len(found) - 1} more tensors" if len(found) > 1 else ""
    warning = (
        f"tensor '{found[0]}' reaches {values.max():.4g} in sample {values.argmax()}, where half "
        f"of the samples stay below {np.median(values):.4g}, less than a step of 8 bits of its "
        f"range{others}: leave such samples out, or try --observer percentile"
    )
    return (warning,)


def _is_stretched(largest: Sequence[float], ends: Range) -> bool:
    usual = float(np.median(largest))
    return len(largest) >= FEWEST and 0 < STEPS * usual < max(-ends[0], ends[1])


def _one_sample(samples: Sequence[Array]) -> tuple[str, ...]:
    if not samples or len(samples[0]) != 1:
        return ()
    warning = (
        "there is 1 calibration sample, and no range of one sample holds for others; give some "
        "hundred of every kind that the model will see"
    )
    return (warning,)


def _constant_channels(graph: Graph, name: str, array: Array) -> str:
    """What to say of channels, the last dimension, that hold one number where others do not."""
    del graph
    if array.ndim < 3 or array.shape[-1] == 1 or array[0].size == array.shape[-1]:
        return ""  # no channels, but one value of each feature
    rows = array.reshape(-1, array.shape[-1])
    constant = np.flatnonzero(rows.min(axis=0) == rows.max(axis=0))
    if not constant.size or constant.size == array.shape[-1]:
        return ""
    first = int(constant[0])
    others = f", as {constant.size - 1} more channels are one number" if constant.size > 1 else ""
    return (
        f"the calibration data of input '{plain_name(name)}' are {rows[0, first]:g} everywhere in "
        f"channel {first}{others}: ranges are found for that alone; give samples in which it "
        "varies, if it does in use"
    )


def _zero_weights(graph: Graph) -> tuple[str, ...]:
    """What to say of layers whose output is their bias, whatever they read."""
    empty = [op for op in linear_layers(graph) if not graph.tensor(op.inputs[1]).constant.any()]
    if not empty:
        return ()
    shown = ", ".join(f"'{op.name}'" for op in empty)
    return (f"the weights of {shown} are all zero, and what they read counts for nothing",)


def _all_the_same(constant: dict[str, Array]) -> str:
    shown = " and ".join(
        f"of input '{plain_name(name)}' are {array.flat[0]:g} everywhere"
        for name, array in constant.items()
    )
    count = len(next(iter(constant.values())))
    return f"the calibration data {shown} ({count} samples)"


def _scaled_twice(graph: Graph, name: str, array: Array) -> str:
    """What to say of data within [-1, 1] that the model scales down at once, as pixels."""
    factor = _first_factor(graph, name)
    low, high = float(array.min()), float(array.max())
    if factor is None or factor > SCALED_DOWN or low < -1 or high > 1:
        return ""
    return (
        f"the calibration data of input '{plain_name(name)}' reach from {low:.4g} to {high:.4g}, "
        f"and the model multiplies them by {factor:.4g} at once, which leaves {low * factor:.4g} "
        f"to {high * factor:.4g}: if they were scaled already, give them as they were before"
    )


def _first_factor(graph: Graph, name: str) -> float | None:
    """Largest factor that the only reader of an input multiplies it by, if that is what it does."""
    readers = graph.consumers[name]
    if len(readers) != 1 or not isinstance(readers[0], Mul | Div) or readers[0].inputs[0] != name:
        return None
    other = graph.tensor(readers[0].inputs[1]).data
    if other is None or not other.all():
        return None
    factors = np.abs(other if isinstance(readers[0], Mul) else 1 / other)
    return float(factors.max())
