"""Checks of dtypes that operators share."""

from __future__ import annotations

from collections.abc import Collection

from tinyml.ir.graph import DType, Graph, Tensor
from tinyml.ops.contract.dtypes import PARAMETERS
from tinyml.ops.contract.operator import Operator


def require_dtype(op: Operator, graph: Graph) -> DType:
    """Give the operator's dtype, which must be one that it declares."""
    return require_one_of(op, graph.tensor(op.inputs[op.typed_input]), op.kernels)


def require_one_of(op: Operator, tensor: Tensor, allowed: Collection[DType]) -> DType:
    """Give the dtype of an input, which must be one of ``allowed``."""
    if tensor.dtype not in allowed:
        names = " or ".join(dtype.value for dtype in allowed)
        raise op.error(f"input '{tensor.name}' is {tensor.dtype.value}, expected {names}")
    return tensor.dtype


def require_parameters(
    op: Operator, graph: Graph, channels: int, *, narrow_bias: bool = False
) -> None:
    """Weights (input 1) must fit the input's dtype, a bias (input 2) hold one sum per channel.

    With ``narrow_bias`` that of int16 may be int32.
    """
    source, weights = graph.tensor(op.inputs[0]), graph.tensor(op.inputs[1])
    expected, sums = PARAMETERS[source.dtype]
    if source.dtype is DType.FLOAT32 and weights.dtype is DType.INT8:
        raise op.error(
            f"weights '{weights.name}' are int8 where input '{source.name}' is float32: this is "
            "dynamic-range quantization, which quantizes activations while it runs; give the float "
            "model to 'tinyml quantize', or convert with a representative dataset"
        )
    if weights.dtype is not expected:
        raise op.error(
            f"weights '{weights.name}' are {weights.dtype.value} where input '{source.name}' is "
            f"{source.dtype.value}, expected {expected.value}; convert the model as float32, as "
            "full int8 or as 16x8"
        )
    bias = graph.optional(op.inputs[2]) if len(op.inputs) > 2 else None
    allowed = [sums]
    if narrow_bias and source.dtype is DType.INT16:
        allowed.append(DType.INT32)
    if bias is not None and (bias.dtype not in allowed or bias.size != channels):
        names = " or ".join(dtype.value for dtype in allowed)
        raise op.error(
            f"bias '{bias.name}' is {bias.dtype.value} {bias.shape}, expected {names} "
            f"of {channels} elements{_biases_of_64_bits(bias, sums)}"
        )


def _biases_of_64_bits(bias: Tensor, expected: DType) -> str:
    """What to do about one of 32 bits, as a converter makes them when asked to."""
    is_narrow = (bias.dtype, expected) == (DType.INT32, DType.INT64)
    return ", as every TFLite runtime; convert the model with int64 biases" if is_narrow else ""


def require_constant_parameters(op: Operator, graph: Graph) -> None:
    """Refuse weights or a bias, inputs 1 and 2, that are computed on the device."""
    for name in filter(None, op.inputs[1:3]):
        if not graph.tensor(name).is_constant:
            raise op.error(f"'{name}' is computed, expected constant weights and a constant bias")
