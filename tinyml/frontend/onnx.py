"""An ONNX model, float or QDQ, to a Graph.

The graph's inputs and outputs have the shapes and the order of dimensions of the ONNX model's, so
that both take the same arrays; inside, images are NHWC. See onnx_layout.py.
"""

from __future__ import annotations

from pathlib import Path

from tinyml.errors import InputError, TinymlError
from tinyml.frontend.onnx_file import decode_onnx
from tinyml.frontend.onnx_lowering import lower
from tinyml.frontend.onnx_patterns import with_patterns
from tinyml.frontend.onnx_qdq import quantize_annotated
from tinyml.ir.graph import DType, Graph
from tinyml.ir.verify import verify_float, verify_quantized
from tinyml.passes.fold_affine import fold_affine
from tinyml.passes.fold_softmax_beta import fold_softmax_beta
from tinyml.passes.fold_transpose import fold_transpose
from tinyml.passes.fuse_activation import fuse_activation
from tinyml.passes.merge_reshapes import merge_reshapes

PASSES = (fold_affine, merge_reshapes, fuse_activation, fold_softmax_beta, fold_transpose)


def read_onnx(data: bytes, name: str, folder: Path | None = None) -> Graph:
    """Read and verify a model of opset 13 or later.

    ``name`` becomes the graph's name and stands in messages; ``folder`` is where weights kept
    outside the file lie. Raises InputError where the bytes are no ONNX model, ModelError where the
    model asks for what tinyml cannot do; nodes that are not supported are listed all at once.
    """
    try:
        return _read(data, name, folder)
    except TinymlError:
        raise
    except Exception as error:  # a damaged file breaks any promise of the format
        raise InputError(
            f"'{name}' is a damaged ONNX model ({len(data)} bytes; {type(error).__name__}: "
            f"{error}); copy or export it again"
        ) from error


def _read(data: bytes, name: str, folder: Path | None) -> Graph:
    file = with_patterns(decode_onnx(data, name, folder))
    graph = lower(file, name)
    verify_float(graph)
    for rewrite in PASSES:
        graph = rewrite(graph)
        verify_float(graph)
    if all(tensor.quant is None for tensor in graph.tensors.values()):
        return graph
    edges = (*file.inputs, *file.outputs)
    integers = frozenset(edge.name for edge in edges if edge.dtype is DType.INT8)
    graph = quantize_annotated(graph, integers)
    verify_quantized(graph)
    return graph
