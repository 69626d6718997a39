"""An AVERAGE_POOL_2D whose output has scales of its own, by an operator that rounds only once.

TFLite's pool rounds to the input's scale; a QUANTIZE after it would round again. MEAN rescales by
itself, and a depthwise convolution with a filter of ones at the scale 1 / (height x width) does.
"""

from __future__ import annotations

import numpy as np

from tinyml.ir.graph import DType, Graph, QuantParams, Tensor
from tinyml.ops.average_pool_2d import AveragePool2D
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.operator import Operator
from tinyml.ops.contract.window import Padding, spatial
from tinyml.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyml.ops.mean import Mean


def exact_average(graph: Graph, pool: AveragePool2D) -> tuple[Operator, tuple[Tensor, ...]] | None:
    """Give the operator and its constants: float32, the filter with its scale noted.

    None where padding leaves pixels out of the count.
    """
    if pool.padding is not Padding.VALID:
        return None
    is_whole = pool.size == spatial(graph.tensor(pool.inputs[0]).shape)
    if is_whole and pool.activation is Activation.NONE:
        mean = Mean(
            name=pool.name, inputs=pool.inputs, outputs=pool.outputs, axes=(1, 2), keep_dims=True
        )
        return mean, ()
    filters, bias = _constants(pool, graph.tensor(pool.outputs[0]).shape[3])
    convolution = DepthwiseConv2D(
        name=pool.name,
        inputs=(*pool.inputs, filters.name, bias.name),
        outputs=pool.outputs,
        stride=pool.stride,
        dilation=(1, 1),
        padding=Padding.VALID,
        multiplier=1,
        activation=pool.activation,
    )
    return convolution, (filters, bias)


def _constants(pool: AveragePool2D, channels: int) -> tuple[Tensor, Tensor]:
    share = 1 / (pool.size[0] * pool.size[1])
    ones = np.full((1, *pool.size, channels), share)
    quant = QuantParams.per_tensor(share, 0)
    filters = Tensor(f"{pool.name}/filters", ones.shape, DType.FLOAT32, quant, ones)
    zeros = np.zeros(channels, np.float32)
    return filters, Tensor(f"{pool.name}/zero_bias", zeros.shape, DType.FLOAT32, data=zeros)
