"""A float graph whose tensors carry scales, as a QDQ model states them, to an int8 or 16x8 graph.

Between a DequantizeLinear and a QuantizeLinear an ONNX operator is float; the graph's operator is
the integer one that comes within a step of it. Where that has a rule of its own about scales, a
QUANTIZE beside it makes up the difference.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinyml.errors import ModelError
from tinyml.ir.graph import DType, Graph, Op, QuantParams, Tensor
from tinyml.numerics.affine import LIMITS, quantize, range_params, symmetric_scale
from tinyml.ops.average_pool_2d import AveragePool2D
from tinyml.ops.contract.dtypes import PARAMETERS
from tinyml.ops.contract.operator import Operator, operators
from tinyml.ops.dequantize import Dequantize
from tinyml.ops.quantize import Quantize
from tinyml.ops.reshape import Reshape
from tinyml.passes.exact_average import exact_average
from tinyml.passes.rename_tensors import rename_tensors
from tinyml.quantize.parameters import (
    WEIGHT_MAX,
    add_parameter,
    bias_scales,
    bias_steps,
    quantized_bias,
    symmetric_params,
)

# Scales of a bias that are the product of input's and weights', but for rounding.
CLOSE = 1e-5
# Integers of biases beyond these do not fit int32, or the sums of 16x8.
BIAS_LIMITS = {DType.INT32: 2**31 - 1, DType.INT64: 2**46}
INT8 = LIMITS[DType.INT8]


def quantize_annotated(graph: Graph, integer_edges: frozenset[str], dtype: DType) -> Graph:
    """Give every tensor its integers, activations those of ``dtype``: int8 or int16.

    Inputs and outputs in ``integer_edges`` are such in the model's file already; the others stay
    float32, with a QUANTIZE or DEQUANTIZE inside. ModelError where a tensor has no scale.
    """
    graph = _requantized(_with_exact_averages(_completed(graph, dtype)), dtype)
    _refuse_unquantized(graph)
    return _with_edges(_as_integers(graph, dtype), integer_edges, dtype)


# --------------------------------------------------------------------------- missing scales


def _completed(graph: Graph, dtype: DType) -> Graph:
    """Fill in scales that follow from an operator's rule and the scales beside it."""
    for ops in (tuple(operators(graph)), tuple(operators(graph))[::-1]):
        for op in ops:
            graph = graph.with_tensors(*_following(graph, op, dtype))
    return graph


def _following(graph: Graph, op: Operator, dtype: DType) -> list[Tensor]:
    rule = op.quantization_rule(graph)
    tied: tuple[str, ...] = ()
    if rule.output_follows_input:
        tied = (op.inputs[0], *op.outputs)
    if rule.inputs_follow_output:
        tied = (*op.outputs, *op.present_inputs)
    present = [graph.tensor(name).quant for name in tied]
    fixed = rule.fixed(dtype)
    given = fixed or next((quant for quant in present if quant is not None), None)
    names = tied if fixed is None else op.outputs
    tensors = (graph.tensor(name) for name in names)
    return [replace(t, quant=given) for t in tensors if t.quant is None and given is not None]


def _refuse_unquantized(graph: Graph) -> None:
    missing = [t for t in graph.tensors.values() if _is_real(t) and t.quant is None]
    if missing:
        shown = ", ".join(f"'{t.name}'" for t in missing[:8])
        raise ModelError(
            f"{len(missing)} of the model's tensors have no QuantizeLinear: {shown}; quantize "
            "every operator of the model, or give its float version to 'tinyml quantize'"
        )


def _is_real(tensor: Tensor) -> bool:
    """Whether it is an activation of real numbers, not one of indices."""
    return not tensor.is_constant and tensor.dtype is DType.FLOAT32


# --------------------------------------------------------------------------- rules


def _with_exact_averages(graph: Graph) -> Graph:
    """Let pools that rescale round once."""
    tensors, ops = dict(graph.tensors), list[Op]()
    for op in graph.ops:
        source, output = graph.tensor(op.inputs[0]), graph.tensor(op.outputs[0])
        exact = None
        if isinstance(op, AveragePool2D) and source.quant != output.quant:
            exact = exact_average(graph, op)
        if exact is not None:
            op, constants = exact
            tensors.update({tensor.name: tensor for tensor in constants})
        ops.append(op)
    return replace(graph, tensors=tensors, ops=tuple(ops))


def _requantized(graph: Graph, dtype: DType) -> Graph:
    """Put a QUANTIZE where the model's scales differ from an operator's rule."""
    tensors, ops = dict(graph.tensors), list[Op]()
    for op in operators(graph):
        rule = op.quantization_rule(graph)
        source, output = graph.tensor(op.inputs[0]), graph.tensor(op.outputs[0])
        if isinstance(op, Reshape) and source.shape == output.shape:  # a copy with other scales
            ops.append(_quantize(source, output, dtype))
            continue
        if rule.inputs_follow_output:
            op = _adapt_inputs(tensors, ops, op, output.quant, dtype)
        wanted = source.quant if rule.output_follows_input else rule.fixed(dtype)
        ops.extend(_adapt_outputs(tensors, op, wanted, dtype) if wanted is not None else [op])
    return replace(graph, tensors=tensors, ops=tuple(ops)).pruned()


def _adapt_inputs(
    tensors: dict[str, Tensor],
    ops: list[Op],
    op: Operator,
    wanted: QuantParams | None,
    dtype: DType,
) -> Operator:
    """Let the operator read its inputs with the scales wanted; QUANTIZEs go to ``ops``."""
    names: dict[str, str] = {}
    for name in dict.fromkeys(op.present_inputs):
        source = tensors[name]
        if source.quant == wanted:
            continue
        changed = replace(source, name=f"{op.name}/requantized/{name}", quant=wanted)
        tensors[changed.name] = changed
        names[name] = changed.name
        if not source.is_constant:
            ops.append(_quantize(source, changed, dtype))
    return replace(op, inputs=tuple(names.get(name, name) for name in op.inputs))


def _adapt_outputs(
    tensors: dict[str, Tensor], op: Operator, wanted: QuantParams, dtype: DType
) -> list[Op]:
    """Let the operator write its outputs with the scales wanted, and bring them to their own."""
    after, outputs = list[Op](), list[str]()
    for output in (tensors[name] for name in op.outputs):
        raw = output
        if output.quant not in {None, wanted}:
            raw = replace(output, name=f"{output.name}/computed", quant=wanted)
            tensors[raw.name] = raw
            after.append(_quantize(raw, output, dtype))
        outputs.append(raw.name)
    return [replace(op, name=outputs[0], outputs=tuple(outputs)), *after]


def _quantize(source: Tensor, output: Tensor, dtype: DType) -> Quantize:
    return Quantize(name=output.name, inputs=(source.name,), outputs=(output.name,), dtype=dtype)


# --------------------------------------------------------------------------- integers


def _as_integers(graph: Graph, dtype: DType) -> Graph:
    """Quantize activations, weights, biases and other constants."""
    tensors = {name: _activation(tensor, dtype) for name, tensor in graph.tensors.items()}
    ops = list[Op]()
    for op in operators(graph):
        op = op.as_int8()
        rule = op.quantization_rule(graph)
        inputs = list(op.inputs)
        for index, axis in rule.weights.items():
            tensors[inputs[index]] = _weights(op, graph.tensor(inputs[index]), axis)
        if rule.bias is not None and rule.bias < len(inputs):
            weights = tensors[inputs[next(iter(rule.weights))]]
            scale = tensors[inputs[0]].scale
            bias = _bias(op, graph.tensor(inputs[rule.bias]), weights, scale, PARAMETERS[dtype][1])
            inputs[rule.bias] = add_parameter(tensors, bias, op)
        ops.append(replace(op, inputs=tuple(inputs)))
    return replace(graph, tensors=tensors, ops=tuple(ops)).pruned()


def _activation(tensor: Tensor, dtype: DType) -> Tensor:
    """Quantize an activation, or a constant as one; weights and biases are done again later."""
    if tensor.dtype is not DType.FLOAT32 or tensor.size == 0:
        return tensor
    if tensor.data is None:
        return replace(tensor, dtype=dtype)
    quant = tensor.quant
    if quant is None:
        quant = range_params(float(tensor.data.min()), float(tensor.data.max()), dtype)
    if quant.is_per_channel:  # only weights and biases are
        return tensor
    return replace(tensor, dtype=dtype, quant=quant, data=quantize(tensor.data, quant, dtype))


def _weights(op: Operator, weights: Tensor, axis: int | None) -> Tensor:
    quant = weights.quant or _exact_scales(weights, axis)
    if weights.data is None or quant is None:
        raise op.error(
            f"weights '{weights.name}' are float in a quantized model, expected a "
            "DequantizeLinear of int8"
        )
    if any(quant.zero_point):
        raise op.error(
            f"weights '{weights.name}' have zero point {quant.zero_point[0]}, expected 0; quantize "
            "with symmetric weights (WeightSymmetric)"
        )
    if quant.quantized_dimension not in {None, axis or 0}:
        raise op.error(
            f"weights '{weights.name}' have scales along dimension {quant.quantized_dimension} of "
            f"{weights.shape}, expected one per output channel"
        )
    wide = quantize(weights.data, quant, DType.INT16)
    if wide.size and not (INT8[0] <= wide.min() and wide.max() <= INT8[1]):
        raise op.error(
            f"weights '{weights.name}' are integers from {wide.min()} to {wide.max()}, expected "
            "int8; quantize with int8 weights"
        )
    data = quantize(weights.data, quant)
    return replace(weights, dtype=DType.INT8, quant=quant, data=data)


def _exact_scales(weights: Tensor, axis: int | None) -> QuantParams | None:
    """Scales of one weight per channel, which lose nothing: a batch normalization's factors."""
    if weights.data is None or axis is None or weights.size != weights.shape[axis]:
        return None
    scale = symmetric_scale(np.abs(weights.data.reshape(-1)), WEIGHT_MAX)
    return symmetric_params(scale, axis)


def _bias(op: Operator, bias: Tensor, weights: Tensor, input_scale: float, dtype: DType) -> Tensor:
    """Integers at input scale x weight scale, the model's own where that is their scale."""
    if bias.data is None:
        raise op.error(f"bias '{bias.name}' is computed at run time, expected a constant")
    scale = bias_scales(weights, input_scale)
    if bias.quant is not None and np.allclose(bias.quant.scale, scale, rtol=CLOSE, atol=0):
        scale = np.broadcast_to(np.array(bias.quant.scale, np.float32), scale.shape)
    if np.abs(bias_steps(bias, scale)).max(initial=0) > BIAS_LIMITS[dtype]:
        bits = BIAS_LIMITS[dtype].bit_length() + 1
        raise op.error(f"bias '{bias.name}' does not fit {bits} bits at the scale of its products")
    return quantized_bias(bias, scale, dtype)


# --------------------------------------------------------------------------- edges


def _with_edges(graph: Graph, integer_edges: frozenset[str], dtype: DType) -> Graph:
    """Let float inputs and outputs be float."""
    edges = dict.fromkeys((*graph.inputs, *graph.outputs))
    real = [name for name in edges if graph.tensor(name).quant is not None]
    names = {name: f"{name}/quantized" for name in real if name not in integer_edges}
    inner = rename_tensors(graph, names)
    entries = [name for name in graph.inputs if name in names]
    exits = [name for name in graph.outputs if name in names]
    outer = (Tensor(name, graph.tensor(name).shape, DType.FLOAT32) for name in names)
    first = [
        Quantize(name=names[n], inputs=(n,), outputs=(names[n],), dtype=dtype) for n in entries
    ]
    last = [Dequantize(name=n, inputs=(names[n],), outputs=(n,)) for n in exits]
    return replace(
        inner.with_tensors(*outer),
        ops=(*first, *inner.ops, *last),
        inputs=graph.inputs,
        outputs=graph.outputs,
    )
