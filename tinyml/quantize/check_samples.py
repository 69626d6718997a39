"""Whether calibration data can be what the model will see."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyml.data.dataset import plain_name
from tinyml.errors import InputError
from tinyml.ir.graph import Array, Graph
from tinyml.ops.div import Div
from tinyml.ops.mul import Mul

# A model that multiplies its input by no more than this takes it on another scale than its weights.
SCALED_DOWN = 1 / 8


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
    return (*warnings, *(w for n, array in inputs.items() if (w := _scaled_twice(graph, n, array))))


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
