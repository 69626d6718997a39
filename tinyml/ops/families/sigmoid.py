"""What LOGISTIC and TANH share in int16: CMSIS-NN's table of the sigmoid, and lines between.

Its 256 points are those of TFLite's reference kernels, one for every 1/24 of the logistic
function's argument. The input's scale becomes a multiplier and a shift to the right.
"""

from __future__ import annotations

import math

import numpy as np

from tinyml.ir.graph import Graph, QuantParams
from tinyml.ops.contract.c import Kernel, KernelCall, Struct, TensorPointer
from tinyml.ops.contract.operator import Operator

WIDE_OUTPUT_QUANT = QuantParams.per_tensor(1 / 32768, 0)

# The multiplier of a scale of 1, before it is shifted (TFLite's TanhPrepare).
UNIT = 3 * 4096
UNIT_BITS = 12
# Multipliers stay below 2^15 where there is a choice, and int16 times one below 2^31 always.
LARGEST_CHOSEN = 32767
LARGEST_MULTIPLIER = 65535
LARGEST_SHIFT = 31
# How far from a power of two the reference takes a scale for one, in its binary logarithm.
POWER_TOLERANCE = 1e-3


def sigmoid_kernel(graph: Graph, op: Operator, largest_power: int) -> Kernel:
    """Call the operator's only int16 kernel.

    Scales of 2^-12 to ``2^(largest_power - 12)`` are powers of two to the reference.
    """
    source, output = graph.tensor(op.inputs[0]), graph.tensor(op.outputs[0])
    multiplier, shift = _scaling(source.scale, largest_power)
    if multiplier > LARGEST_MULTIPLIER:
        raise op.error(
            f"input '{source.name}' has scale {source.scale:.9g}, expected less than "
            f"{(LARGEST_MULTIPLIER + 1) / UNIT:.3g} for 32 bits"
        )
    function = op.kernel_name(graph)
    fields = {"multiplier": multiplier, "shift": shift}
    call = KernelCall(
        function=function,
        arguments=(
            Struct("tinyml_sigmoid_params", "params", fields),
            TensorPointer(source.name),
            TensorPointer(output.name),
            output.size,
        ),
        source=f"{function}.c",
    )
    return Kernel(calls=(call,), may_overwrite=(source.name,))


def _scaling(scale: float, largest_power: int) -> tuple[int, int]:
    """Multiplier and shift of an input's scale, in the steps of TFLite's TanhPrepare."""
    power = math.log2(scale)
    left_shift = UNIT_BITS + round(power)
    is_power = abs(power - round(power)) < POWER_TOLERANCE
    if is_power and 0 <= left_shift <= largest_power:
        return 3 << left_shift, 0
    multiplier, shift = float(np.float32(scale)) * UNIT, 0
    while multiplier <= LARGEST_CHOSEN / 2 and shift < LARGEST_SHIFT:
        multiplier, shift = 2 * multiplier, shift + 1
    return math.floor(multiplier), shift
