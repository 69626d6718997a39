"""Post-training quantization: a float graph and its ranges to an int8 or 16x8 graph.

The scheme is the whitepaper's recommendation (arXiv 1806.08342, sections 2 and 3): affine
activations per tensor, symmetric weights per channel, int32 biases at input scale x weight scale.
With int16 activations, which are symmetric, biases are int64, as TFLite's converter has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tinyml.ir.graph import DType, Graph, Op, QuantParams, Tensor
from tinyml.ir.verify import verify_quantized
from tinyml.numerics.affine import quantize
from tinyml.ops.cast import Cast
from tinyml.ops.comparison import Comparison
from tinyml.ops.contract.operator import Operator, operators
from tinyml.quantize.calibrate import CalibrationTable
from tinyml.quantize.casts import lower_cast
from tinyml.quantize.comparisons import lower_comparison
from tinyml.quantize.parameters import add_parameter
from tinyml.quantize.prepare import Prepared, prepare_to_quantize
from tinyml.quantize.scheme import INT8, Scheme
from tinyml.quantize.standardized import with_standardization
from tinyml.quantize.weights import quantize_parameters


def quantize_graph(graph: Graph, table: CalibrationTable, scheme: Scheme = INT8) -> Graph:
    """Give every tensor its integers; inputs and outputs are of the scheme's dtype.

    An input that the model standardizes and that int8 could not hold before stays float32.

    Raises ModelError where a tensor has no range: it did not occur in the calibration; or where a
    CAST of real numbers would not give the integers that it gave.
    """
    return assign_integers(prepare_to_quantize(graph, table, scheme))


def assign_integers(prepared: Prepared) -> Graph:
    """Give every tensor of a prepared graph its integers."""
    graph, table, scheme = prepared.graph, prepared.table, prepared.scheme
    dtypes, params = prepared.dtypes, prepared.params
    tensors = {name: _quantize_activation(graph, name, params, dtypes) for name in graph.tensors}
    ops: list[Op] = []
    for op in operators(graph):
        if isinstance(op, Cast):
            ops += lower_cast(graph, op, table, tensors)
            continue
        if isinstance(op, Comparison) and op.inputs[0] in params:
            ops += lower_comparison(graph, op, tensors)
            continue
        integers = quantize_parameters(graph, op, params, scheme)
        ops.append(_with_integers(op.as_int8(), integers, tensors))
    quantized = replace(graph, tensors=tensors, ops=tuple(ops)).pruned()
    quantized = with_standardization(quantized, prepared.standardized)
    verify_quantized(quantized)
    return quantized


def _quantize_activation(
    graph: Graph, name: str, params: Mapping[str, QuantParams], dtypes: Mapping[str, DType]
) -> Tensor:
    """Quantize an activation, or a constant used like one; leave weights and biases as they are."""
    tensor = graph.tensor(name)
    if name not in params:
        return tensor
    dtype = dtypes[name]
    data = None if tensor.data is None else quantize(tensor.data, params[name], dtype)
    return replace(tensor, dtype=dtype, quant=params[name], data=data)


def _with_integers(
    op: Operator, integers: Mapping[int, Tensor], tensors: dict[str, Tensor]
) -> Operator:
    """Add the operator's weights and bias to ``tensors``, and let it read them by their names."""
    if not integers:
        return op
    inputs = dict(enumerate(op.inputs))
    for index, tensor in integers.items():
        inputs[index] = add_parameter(tensors, tensor, op)
    last = max(integers)  # the bias comes last
    return replace(op, inputs=tuple(inputs[index] for index in sorted(inputs) if index <= last))
