"""Makes uint8 inputs and outputs int8, where a QUANTIZE only moves their zero point by 128.

TensorFlow's converter writes such a QUANTIZE where ``inference_input_type`` is uint8. The int8
tensor takes the name of the uint8 one; a uint8 value is the int8 one plus 128.
"""

from __future__ import annotations

from dataclasses import replace

from tinyml.ir.graph import DType, Graph, Op, Tensor
from tinyml.ops.quantize import Quantize

OFFSET = 128


def signed_edges(graph: Graph) -> Graph:
    """Let the caller give and take int8, without the QUANTIZE."""
    entries = {op.outputs[0]: op.inputs[0] for op in graph.ops if _is_entry(graph, op)}
    exits = {op.inputs[0]: op.outputs[0] for op in graph.ops if _is_exit(graph, op)}
    names = {**entries, **exits}
    if not names:
        return graph
    dropped = {*entries, *exits.values()}
    signed = [replace(graph.tensor(old), name=new, unsigned=True) for old, new in names.items()]
    ops = (op.renamed(names) for op in graph.ops if not dropped.intersection(op.outputs))
    return replace(graph.with_tensors(*signed), ops=tuple(ops)).pruned()


def _is_entry(graph: Graph, op: Op) -> bool:
    """A uint8 input's only reader."""
    source = op.inputs[0] if op.inputs else ""
    return (
        isinstance(op, Quantize)
        and source in graph.inputs
        and op.outputs[0] not in graph.outputs
        and graph.only_reader(source) is op
        and _is_offset(graph.tensor(source), graph.tensor(op.outputs[0]))
    )


def _is_exit(graph: Graph, op: Op) -> bool:
    """What makes an output of a tensor that is computed, and that nothing else makes one of."""
    if not isinstance(op, Quantize) or op.outputs[0] not in graph.outputs:
        return False
    source, output = op.inputs[0], op.outputs[0]
    quantizes = [
        reader
        for reader in graph.consumers[source]
        if isinstance(reader, Quantize) and reader.outputs[0] in graph.outputs
    ]
    return (
        not graph.consumers[output]
        and source in graph.producers
        and source not in graph.outputs
        and not _is_entry(graph, graph.producers[source])
        and quantizes == [op]
        and _is_offset(graph.tensor(output), graph.tensor(source))
    )


def _is_offset(unsigned: Tensor, signed: Tensor) -> bool:
    if (unsigned.dtype, signed.dtype) != (DType.UINT8, DType.INT8):
        return False
    if unsigned.quant is None or signed.quant is None:
        return False
    moved = tuple(zero_point - OFFSET for zero_point in unsigned.quant.zero_point)
    return (unsigned.quant.scale, moved) == (signed.quant.scale, signed.quant.zero_point)
