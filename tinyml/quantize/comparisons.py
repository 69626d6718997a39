"""Comparisons of real numbers, once those are quantized.

TFLite's int8 kernel compares real values to 8 binary places, from scales below 1; its int16 kernel
compares the codes. A number and a constant that were equal are so still where the constant has the
other input's scale, and codes of one scale can be compared as int32, whatever that scale is.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinyml.ir.graph import Array, DType, Graph, Op, Tensor
from tinyml.numerics.affine import LIMITS, quantize, range_params
from tinyml.ops.comparison import FINEST, Comparison, Relation
from tinyml.quantize.lowering import Lowering, requantized


def lower_comparison(graph: Graph, op: Comparison, tensors: dict[str, Tensor]) -> list[Op]:
    """Give what stands for a comparison of the float ``graph`` among the quantized ``tensors``.

    New tensors are added to those.
    """
    lowering = Lowering(op, graph.tensor(op.outputs[0]).shape)
    constants = [name for name in op.inputs if graph.tensor(name).is_constant]
    sources = [tensors[name] for name in op.inputs if name not in constants]
    if len(constants) == 1:
        _compare_with_constant(lowering, op, sources[0], graph.tensor(constants[0]))
    elif all(_is_exact(op, source) for source in sources) and _may_differ(sources):
        lowering.ops.append(op)
    else:
        _compare_codes(lowering, op, *(tensors[name] for name in op.inputs))
    tensors.update({tensor.name: tensor for tensor in lowering.tensors})
    return lowering.ops


def _is_exact(op: Comparison, source: Tensor) -> bool:
    """Whether the kernel of the tensor's own dtype keeps its numbers apart."""
    if source.dtype is DType.INT16:
        return op.relation is not Relation.NOT_EQUAL
    return FINEST <= source.scale < 1


def _may_differ(sources: list[Tensor]) -> bool:
    """Whether the kernel takes the scales that the tensors have."""
    return sources[0].dtype is DType.INT8 or sources[0].quant == sources[-1].quant


def _compare_with_constant(
    lowering: Lowering, op: Comparison, source: Tensor, constant: Tensor
) -> None:
    """Compare with the constant's code in the other input's scale, which may be one beyond it."""
    codes = _codes(constant.constant, source)
    low, high = LIMITS[source.dtype]
    if _is_exact(op, source) and low <= codes.min() and codes.max() <= high:
        data = np.asarray(codes, source.dtype.numpy)
        name = lowering.constant("constant", data, source.quant)
        left = source.name
    else:
        name = lowering.constant("constant", codes)
        left = _widened(lowering, "codes", source)
    is_first = op.inputs[0] == constant.name
    lowering.ops.append(replace(op, inputs=(name, left) if is_first else (left, name)))


def _codes(values: Array, source: Tensor) -> Array:
    """Integers of real numbers in the scale of ``source``, int32 and not cut off at its limits.

    One that is beyond them by 1 is cut off: the zero point was rounded, as the largest numbers are.
    """
    codes = np.asarray(quantize(values, source.per_tensor, DType.INT32))
    low, high = LIMITS[source.dtype]
    codes = np.where(codes == low - 1, low, codes)
    return np.where(codes == high + 1, high, codes).astype(np.int32)


def _compare_codes(lowering: Lowering, op: Comparison, first: Tensor, second: Tensor) -> None:
    """Bring both to one scale, and compare their codes as int32."""
    if first.quant != second.quant:
        reals = [_real_limits(tensor) for tensor in (first, second)]
        low, high = min(low for low, _ in reals), max(high for _, high in reals)
        common = range_params(low, high, first.dtype)
        first, second = (
            _on_scale(lowering, key, replace(tensor, quant=common), tensor)
            for key, tensor in (("first", first), ("second", second))
        )
    names = tuple(
        _widened(lowering, f"{key}/codes", tensor)
        for key, tensor in (("first", first), ("second", second))
    )
    lowering.ops.append(replace(op, inputs=names))


def _on_scale(lowering: Lowering, key: str, wanted: Tensor, source: Tensor) -> Tensor:
    if wanted.quant == source.quant:
        return source
    lowering.tensor(key, wanted.dtype, wanted.quant, wanted.shape)
    lowering.ops.append(requantized(source.name, lowering.tensors[-1]))
    return lowering.tensors[-1]


def _widened(lowering: Lowering, key: str, source: Tensor) -> str:
    output = lowering.tensor(key, DType.INT32, shape=source.shape)
    return lowering.cast(source.name, output, DType.INT32)


def _real_limits(tensor: Tensor) -> tuple[float, float]:
    low, high = (tensor.scale * (q - tensor.zero_point) for q in LIMITS[tensor.dtype])
    return low, high
