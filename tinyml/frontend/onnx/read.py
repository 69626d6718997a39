"""An ONNX model, float or QDQ, to a Graph.

The graph's inputs and outputs have the shapes and the order of dimensions of the ONNX model's, so
that both take the same arrays; inside, images are NHWC. See onnx_layout.py.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from tinyml.errors import ModelError
from tinyml.frontend.damaged import BROKEN_PROMISES, damaged
from tinyml.frontend.onnx.file import FileNode, decode_nodes, decode_onnx
from tinyml.frontend.onnx.lowering import lower
from tinyml.frontend.onnx.partial import file_operator, require_known
from tinyml.frontend.onnx.patterns import with_patterns
from tinyml.frontend.onnx.quantized_forms import model_refusal
from tinyml.frontend.partial import PartialModel, PartlyReadError, partly_read
from tinyml.ir.graph import DType, Graph
from tinyml.ir.verify import verify_float, verify_quantized
from tinyml.passes.fuse_functions import fuse_functions
from tinyml.passes.orders import ONNX, rewritten
from tinyml.quantize.annotated import quantize_annotated

# Types of inputs and outputs that are quantized in the file, where none is cast to real numbers.
INTEGERS = {DType.INT8, DType.INT16, DType.UINT8}


def read_onnx(data: bytes, name: str, folder: Path | None = None) -> Graph:
    """Read and verify a model of opset 13 or later.

    ``name`` becomes the graph's name and stands in messages; ``folder`` is where weights kept
    outside the file lie. Raises InputError where the bytes are no ONNX model, ModelError where the
    model asks for what tinyml cannot do; nodes that are not supported are listed all at once.
    """
    try:
        with np.errstate(all="ignore"):  # what is not finite is found where it is used
            return _read(data, name, folder)
    except BROKEN_PROMISES as error:
        raise damaged("ONNX", data, name, error) from error


def _read(data: bytes, name: str, folder: Path | None) -> Graph:
    try:
        file = decode_onnx(data, name, folder)
    except ModelError as error:
        raise _undecoded(decode_nodes(data, name), name, error) from error
    file = with_patterns(file)
    graph, dtype = lower(file, name)
    cast = {node.inputs[0] for node in file.nodes if node.op_type == "Cast" and node.inputs}
    edges = [edge for edge in (*file.inputs, *file.outputs) if edge.name not in cast]
    integers = frozenset(edge.name for edge in edges if edge.dtype in INTEGERS)
    unsigned = [edge.name for edge in edges if edge.dtype is DType.UINT8]
    try:
        verify_float(graph)
        graph = rewritten(graph, ONNX, verify_float)
        if any(tensor.quant is not None for tensor in graph.tensors.values()):
            graph = fuse_functions(graph) if dtype is DType.INT8 else graph
            graph = _declared_unsigned(quantize_annotated(graph, integers, dtype), unsigned)
            verify_quantized(graph)
    except ModelError as error:
        raise partly_read(graph, error) from error
    return graph


def _declared_unsigned(graph: Graph, names: list[str]) -> Graph:
    """Remember which inputs and outputs are uint8 in the file: int8 here, 128 below."""
    tensors = (graph.tensor(name) for name in names)
    signed = (replace(t, unsigned=True) for t in tensors if t.dtype is DType.INT8)
    return graph.with_tensors(*signed)


def _undecoded(nodes: tuple[FileNode, ...], name: str, error: ModelError) -> PartlyReadError:
    """Show the nodes of a model whose sizes or types cannot be used; only their kinds count."""
    message = model_refusal(nodes, name) or str(error)
    partial = PartialModel(
        name=name,
        inputs={},
        outputs={},
        operators=tuple(file_operator(node, None, _reason(node)) for node in nodes if node.outputs),
        tensors={},
        problems=(message,),
    )
    return PartlyReadError(message, partial)


def _reason(node: FileNode) -> str | None:
    try:
        require_known(node)
    except ModelError as error:
        return str(error)
    return None
