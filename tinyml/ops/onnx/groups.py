"""A Conv of several groups, taken apart: SPLIT_V, a convolution of each part, CONCATENATION."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tinyml.ir.graph import Op, QuantParams, Tensor
from tinyml.ops.concatenation import Concatenation
from tinyml.ops.contract.onnx import OnnxLowering, OnnxNodeIn
from tinyml.ops.onnx.window import bias_or_zeros
from tinyml.ops.split_v import SplitV

Lower = Callable[[OnnxNodeIn, Tensor], OnnxLowering]


def grouped_lowering(node: OnnxNodeIn, weights: Tensor, group: int, lower: Lower) -> OnnxLowering:
    """Take a node over NHWC apart; ``lower`` makes one group's convolution of its weights.

    ``weights`` are (output channels, height, width, input channels of a group).
    """
    source, channels = node.operand(0), weights.shape[0]
    if group < 1 or channels % group or source.shape[-1] != group * weights.shape[-1]:
        raise node.error(
            f"{group} groups do not fit {source.shape[-1]} channels and weights {weights.shape}"
        )
    bias = bias_or_zeros(node, 2, channels)
    parts = tuple(node.inner(f"part_{index}") for index in range(group))
    sizes = (weights.shape[-1],) * group
    axis = len(source.shape) - 1
    ops: list[Op] = [
        SplitV(name=parts[0], inputs=(source.name,), outputs=parts, axis=axis, part_sizes=sizes)
    ]
    constants, results = list[Tensor](), list[str]()
    for index, part in enumerate(parts):
        own = [slice_of_group(tensor, index, channels // group) for tensor in (weights, bias)]
        results.append(node.inner(f"group_{index}"))
        one = replace(
            node,
            inputs=(part, *(tensor.name for tensor in own)),
            outputs=(results[-1],),
            tensors={
                part: replace(source, name=part, shape=(*source.shape[:-1], sizes[index])),
                **{tensor.name: tensor for tensor in own},
            },
        )
        lowering = lower(one, own[0])
        ops.extend(lowering.ops)
        constants.extend(lowering.constants)
    joined = Concatenation(name=node.name, inputs=tuple(results), outputs=node.outputs, axis=axis)
    return OnnxLowering(ops=(*ops, joined), constants=tuple(constants))


def slice_of_group(tensor: Tensor, index: int, count: int) -> Tensor:
    """One group's rows of weights or bias, with their scales."""
    rows = slice(index * count, (index + 1) * count)
    data, quant = tensor.constant[rows], tensor.quant
    if quant is not None and quant.quantized_dimension == 0:
        dimension = 0 if count > 1 else None
        quant = QuantParams(quant.scale[rows], quant.zero_point[rows], dimension)
    return Tensor(f"{tensor.name}/group_{index}", data.shape, tensor.dtype, quant, data)
