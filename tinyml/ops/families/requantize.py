"""The kernel that moves int16 values to another scale."""

from __future__ import annotations

from tinyml.ir.graph import DType, Graph
from tinyml.numerics.fixed_point import quantize_multiplier
from tinyml.ops.contract.c import Kernel, KernelCall, Struct, TensorPointer
from tinyml.ops.contract.operator import Operator
from tinyml.ops.families.elementwise import finishing, rescaling

# Kernels that rescale int16, by the dtype of the output.
REQUANTIZATIONS = {
    DType.INT16: "tinyml_requantize_s16",
    DType.INT8: "tinyml_requantize_s16_s8",
    DType.INT32: "tinyml_requantize_s16_s32",
}

# int16 takes 15 bits and a sign; more than 15 to the left would leave 32 bits. Of one with a zero
# point, which int32 alone is made of, it is 16 bits.
LARGEST_SHIFT = 15


def requantize_kernel(graph: Graph, op: Operator, real: float, limits: tuple[int, int]) -> Kernel:
    """Multiply an int16 input by ``real`` and clamp; the output is int16, int8 or int32."""
    source, output = graph.tensor(op.inputs[0]), graph.tensor(op.outputs[0])
    is_long = output.dtype is DType.INT32
    if quantize_multiplier(real)[1] > LARGEST_SHIFT - is_long:
        raise op.error(
            f"output '{output.name}' has scale {output.scale:.9g}, too small beside the input's "
            f"{source.scale:.9g} for 32 bits"
        )
    function = REQUANTIZATIONS[output.dtype]
    overwritable = (source.name,) if output.dtype is DType.INT16 else ()
    params = Struct("tinyml_output", "to", finishing(output, real, limits))
    if is_long:  # nothing reaches the limits
        params = Struct("tinyml_rescaling", "from", rescaling(source, real))
    call = KernelCall(
        function=function,
        arguments=(
            params,
            TensorPointer(source.name),
            TensorPointer(output.name),
            output.size,
        ),
        source=f"{function}.c",
    )
    return Kernel(calls=(call,), may_overwrite=overwritable)
