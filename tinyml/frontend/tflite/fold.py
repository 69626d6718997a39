"""Constants that follow from constants and static shapes, worked out while a .tflite is read.

Converters compute with shapes where a model's batch is open (SHAPE, STRIDED_SLICE, PACK, RESHAPE),
and store weights as float16 behind a DEQUANTIZE.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from tinyml.errors import ModelError
from tinyml.frontend.tflite.tensors import with_positive_scales
from tinyml.ir.graph import Array, DType, Graph, Tensor
from tinyml.ir.verify import verify_quant
from tinyml.numerics.affine import dequantize
from tinyml.ops.contract.operator import Operator
from tinyml.ops.contract.tflite import TfliteNode

# What stands in no model that is meant for a microcontroller.
LARGEST_CONSTANT = 2**26

ZERO_PRODUCTS = (DType.FLOAT32, DType.INT8, DType.INT16)

PLAIN = (DType.INT32, DType.INT64, DType.FLOAT32)

ARITHMETIC: Mapping[str, Callable[[Array, Array], Array]] = {
    "ADD": np.add,
    "SUB": np.subtract,
    "MUL": np.multiply,
    "FLOOR_DIV": np.floor_divide,
    "FLOOR_MOD": np.mod,
    "MAXIMUM": np.maximum,
    "MINIMUM": np.minimum,
}
DIVISIONS = ("FLOOR_DIV", "FLOOR_MOD")


def fold_arithmetic(node: TfliteNode) -> tuple[Array, ...] | None:
    """Value of what converters compute with constants and no device does; None for all else."""
    tensors = [node.tensors[name] for name in node.inputs if name]
    if node.opcode == "DEQUANTIZE" and len(tensors) == 1:
        return _dequantize(tensors[0])
    constants = [tensor.data for tensor in tensors if tensor.data is not None]
    if len(tensors) != 2 or len(constants) != 2 or not _is_small(node):
        return None
    if node.opcode == "FILL":
        return _fill(node, *tensors)
    if not all(tensor.dtype in PLAIN and tensor.quant is None for tensor in tensors):
        return None
    if node.opcode in ARITHMETIC:
        return _elementwise(node, *constants)
    return _product(node, *constants) if node.opcode == "REDUCE_PROD" else None


def _dequantize(source: Tensor) -> tuple[Array, ...] | None:
    """Real numbers of quantized constants, of uint8 too: files had such weights before int8."""
    if source.data is None or source.quant is None:
        return None
    verify_quant(source)
    return (dequantize(source.data, source.quant),)


def _elementwise(node: TfliteNode, first: Array, second: Array) -> tuple[Array, ...] | None:
    shape = np.broadcast_shapes(first.shape, second.shape)
    if shape != node.tensors[node.outputs[0]].shape or first.dtype != second.dtype:
        return None
    if node.options.get("fusedActivationFunction"):
        return None
    if node.opcode in DIVISIONS and not second.all():
        return None
    with np.errstate(all="ignore"):  # what is not finite is found where it is used
        return (np.asarray(ARITHMETIC[node.opcode](first, second)),)


def _fill(node: TfliteNode, sizes: Tensor, value: Tensor) -> tuple[Array, ...] | None:
    """As many as the sizes say of one value, a real number, an integer or a quantized one."""
    output = with_positive_scales(replace(node.tensors[node.outputs[0]], data=value.data))
    shape = tuple(int(size) for size in sizes.constant.reshape(-1))
    is_alike = (value.dtype, value.quant) == (output.dtype, output.quant)
    if shape != output.shape or value.size != 1 or not is_alike:
        return None
    return (np.full(shape, value.constant.reshape(()), value.dtype.numpy),)


def _product(node: TfliteNode, factors: Array, axes: Array) -> tuple[Array, ...]:
    dimensions = tuple(int(axis) for axis in axes.reshape(-1))
    keep = bool(node.options.get("keepDims", False))
    return (np.asarray(np.prod(factors, dimensions, factors.dtype, keepdims=keep)),)


def fold_operator(node: TfliteNode, op: Operator) -> tuple[Array, ...] | None:
    """Value of each output of ``op`` where it is a constant; ModelError where it does not fit."""
    known = all(node.tensors[name].is_constant for name in op.present_inputs)
    if not (known or node.opcode == "SHAPE") or not _is_small(node):
        return None
    names = {*op.present_inputs, *op.outputs}
    graph = Graph(op.name, {name: node.tensors[name] for name in names}, (), (), ())
    for name, spec in zip(op.outputs, op.infer(graph), strict=True):
        declared = graph.tensor(name)
        if (spec.shape, spec.dtype) != (declared.shape, declared.dtype):
            return None  # the verification of the whole graph says what is wrong
    op.check_quantized(graph)
    return op.fold(graph)


def fold_zero_product(node: TfliteNode) -> tuple[Array, ...] | None:
    """Value of a product with constant zeros, as of a GRU's or an LSTM's first state.

    Its output is calibrated to a range of nothing, with scales that no kernel takes. None for all
    that is neither a MUL nor a FULLY_CONNECTED without a bias.
    """
    factors = node.inputs if node.opcode == "MUL" else ()
    if node.opcode == "FULLY_CONNECTED" and len(node.inputs) == 2:
        factors = node.inputs[:1]
    if not any(map(_is_zero, map(node.tensors.get, factors))):
        return None
    output = node.tensors[node.outputs[0]]
    zero = output.zero_point if output.quant is not None else 0
    return (np.full(output.shape, zero, output.dtype.numpy),) if _is_small(node) else None


def _is_zero(tensor: Tensor | None) -> bool:
    if tensor is None or tensor.data is None or tensor.dtype not in ZERO_PRODUCTS:
        return False
    zero = tensor.zero_point if tensor.quant is not None else 0
    return tensor.size > 0 and bool((tensor.data == zero).all())


def _is_small(node: TfliteNode) -> bool:
    return sum(node.tensors[name].size for name in node.outputs) <= LARGEST_CONSTANT


def as_constant(node: TfliteNode, tensor: Tensor, value: Array) -> Array:
    """Give a folded value as the file declares its tensor; ModelError where it is not like that."""
    if (value.shape, value.dtype) != (tensor.shape, tensor.dtype.numpy):
        raise ModelError(
            f"{node.opcode} '{node.name}' gives tensor '{tensor.name}' {value.dtype} "
            f"{value.shape}, but the model declares {tensor.dtype.value} {tensor.shape}"
        )
    return value
