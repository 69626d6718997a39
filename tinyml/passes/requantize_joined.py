"""Brings the inputs of operators that join tensors to the output's scale.

CONCATENATION and PACK copy bytes, and TFLite's runtimes refuse them where scales differ. What such
a model means is plain, and its converter writes a QUANTIZE before each input instead.
"""

from __future__ import annotations

from dataclasses import replace

from tinyml.ir.graph import DType, Graph, Op, Tensor
from tinyml.numerics.affine import dequantize, quantize
from tinyml.ops.contract.operator import Operator, operators
from tinyml.ops.quantize import Quantize


def requantize_joined(graph: Graph) -> Graph:
    """Put a QUANTIZE before activations of another scale; constants are rounded here and now."""
    ops: list[Op] = []
    for op in operators(graph):
        moved = _moved(graph, op) if op.quantization_rule(graph).inputs_follow_output else {}
        if not moved:
            ops.append(op)
            continue
        graph = graph.with_tensors(*moved.values())
        ops += [
            Quantize(name=tensor.name, inputs=(name,), outputs=(tensor.name,), dtype=tensor.dtype)
            for name, tensor in moved.items()
            if not tensor.is_constant
        ]
        inputs = tuple(moved[name].name if name in moved else name for name in op.inputs)
        ops.append(replace(op, inputs=inputs))
    return replace(graph, ops=tuple(ops)).pruned()


def _moved(graph: Graph, op: Operator) -> dict[str, Tensor]:
    """Inputs of another scale than the output, as they are to be."""
    output = graph.tensor(op.outputs[0])
    found: dict[str, Tensor] = {}
    for name in op.present_inputs:
        tensor = graph.tensor(name)
        is_like = tensor.dtype is output.dtype and tensor.dtype in {DType.INT8, DType.INT16}
        if is_like and None not in (tensor.quant, output.quant) and tensor.quant != output.quant:
            found[name] = _requantized(tensor, output, f"{op.name}/requantized/{name}")
    return found


def _requantized(tensor: Tensor, output: Tensor, name: str) -> Tensor:
    data = tensor.data
    if data is not None and tensor.quant is not None and output.quant is not None:
        data = quantize(dequantize(data, tensor.quant), output.quant, output.dtype)
    return replace(tensor, name=name, quant=output.quant, data=data)
