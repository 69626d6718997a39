"""The orders in which rewrites are made: while a file is read, and on the way to the device."""

from __future__ import annotations

from collections.abc import Callable

from tinyml.ir.graph import Graph
from tinyml.ir.verify import verify_quantized
from tinyml.passes.drop_zero_sums import drop_zero_sums
from tinyml.passes.fold_affine import fold_affine
from tinyml.passes.fold_softmax_beta import fold_softmax_beta
from tinyml.passes.fold_transpose import fold_transpose
from tinyml.passes.fuse_activation import fuse_activation
from tinyml.passes.fuse_dilation import fuse_dilation
from tinyml.passes.fuse_float_functions import fuse_float_functions
from tinyml.passes.join_standardization import join_standardization
from tinyml.passes.lower_per_channel_fully_connected import lower_per_channel_fully_connected
from tinyml.passes.merge_reshapes import merge_reshapes
from tinyml.passes.move_integers import move_integers
from tinyml.passes.multiply_by_inverses import multiply_by_inverses
from tinyml.passes.multiply_by_rsqrt import multiply_by_rsqrt
from tinyml.passes.multiply_computed_weights import multiply_computed_weights
from tinyml.passes.narrow_integers import narrow_integers
from tinyml.passes.quantize_choices import quantize_choices
from tinyml.passes.requantize_joined import requantize_joined
from tinyml.passes.signed_edges import signed_edges
from tinyml.passes.spell_log_softmax import spell_log_softmax
from tinyml.passes.spell_softplus import spell_softplus
from tinyml.passes.split_groups import split_groups
from tinyml.passes.strip_edges import strip_edges
from tinyml.passes.take_cast_inputs import take_cast_inputs
from tinyml.passes.take_factors_out import take_factors_out
from tinyml.passes.widen_tables import widen_tables

Order = tuple[Callable[[Graph], Graph], ...]

# A .tflite, and then a float or a quantized one.
TFLITE: Order = (
    multiply_computed_weights,
    split_groups,
    narrow_integers,
    widen_tables,
)
TFLITE_FLOAT: Order = (
    drop_zero_sums,
    spell_softplus,
    spell_log_softmax,
    multiply_by_inverses,
    take_factors_out,
)
TFLITE_QUANTIZED: Order = (
    signed_edges,
    requantize_joined,
    take_cast_inputs,
)

# A float ONNX model, before its QDQ annotations are taken.
ONNX: Order = (
    fold_affine,
    merge_reshapes,
    fuse_activation,
    fold_softmax_beta,
    fold_transpose,
    spell_softplus,
    multiply_by_rsqrt,
    multiply_by_inverses,
    take_factors_out,
)

# A quantized graph, until its operators run on the device one by one.
DEVICE: Order = (
    fuse_float_functions,
    quantize_choices,
    join_standardization,
    move_integers,
    strip_edges,
    fuse_dilation,
    lower_per_channel_fully_connected,
)


def rewritten(graph: Graph, order: Order, verify: Callable[[Graph], None] | None = None) -> Graph:
    """Make every rewrite of an order; ``verify`` looks at what each gives."""
    for rewrite in order:
        graph = rewrite(graph)
        if verify is not None:
            verify(graph)
    return graph


def prepare_for_device(graph: Graph) -> Graph:
    """Give the graph whose operators run on the device one by one."""
    return rewritten(graph, DEVICE, verify_quantized)
