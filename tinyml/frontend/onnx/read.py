"""An ONNX model, float or QDQ, to a Graph.

The graph's inputs and outputs have the shapes and the order of dimensions of the ONNX model's, so
that both take the same arrays; inside, images are NHWC. See onnx_layout.py.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tinyml.errors import ModelError
from tinyml.frontend.damaged import BROKEN_PROMISES, damaged
from tinyml.frontend.onnx.file import FileNode, decode_nodes, decode_onnx
from tinyml.frontend.onnx.lowering import lower
from tinyml.frontend.onnx.partial import file_operator, require_known
from tinyml.frontend.onnx.patterns import with_patterns
from tinyml.frontend.partial import PartialModel, PartlyReadError, partly_read
from tinyml.ir.graph import DType, Graph
from tinyml.ir.verify import verify_float, verify_quantized
from tinyml.passes.fold_affine import fold_affine
from tinyml.passes.fold_softmax_beta import fold_softmax_beta
from tinyml.passes.fold_transpose import fold_transpose
from tinyml.passes.fuse_activation import fuse_activation
from tinyml.passes.fuse_functions import fuse_functions
from tinyml.passes.merge_reshapes import merge_reshapes
from tinyml.passes.multiply_by_inverses import multiply_by_inverses
from tinyml.passes.multiply_by_rsqrt import multiply_by_rsqrt
from tinyml.passes.spell_softplus import spell_softplus
from tinyml.passes.take_factors_out import take_factors_out
from tinyml.quantize.annotated import quantize_annotated

PASSES = (
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
    edges = (*file.inputs, *file.outputs)
    integers = frozenset(edge.name for edge in edges if edge.dtype in {DType.INT8, DType.INT16})
    try:
        verify_float(graph)
        for rewrite in PASSES:
            graph = rewrite(graph)
            verify_float(graph)
        if any(tensor.quant is not None for tensor in graph.tensors.values()):
            graph = fuse_functions(graph) if dtype is DType.INT8 else graph
            graph = quantize_annotated(graph, integers, dtype)
            verify_quantized(graph)
    except ModelError as error:
        raise partly_read(graph, error) from error
    return graph


def _undecoded(nodes: tuple[FileNode, ...], name: str, error: ModelError) -> PartlyReadError:
    """Show the nodes of a model whose sizes or types cannot be used; only their kinds count."""
    partial = PartialModel(
        name=name,
        inputs={},
        outputs={},
        operators=tuple(file_operator(node, None, _reason(node)) for node in nodes if node.outputs),
        tensors={},
        problems=(str(error),),
    )
    return PartlyReadError(str(error), partial)


def _reason(node: FileNode) -> str | None:
    try:
        require_known(node)
    except ModelError as error:
        return str(error)
    return None
