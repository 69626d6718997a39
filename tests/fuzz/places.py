"""Places of a .tflite file that few models fill; each is filled, for something in it to be changed.

A field drawn evenly from all of a model's tables is hardly ever one of these.
"""

import copy
import random
from collections.abc import Callable
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

TYPES = (0, 1, 2, 3, 4, 6, 7, 9, 17)
LEAST, MOST = -(2**31), 2**31 - 1


def intermediates(model: Any, draw: random.Random) -> Any:
    """A tensor of which an operator has parameters only; operators that have none get one."""
    graph = _subgraph(model, draw)
    named = [op for op in graph.operators if op.intermediates is not None and len(op.intermediates)]
    if not named:
        op = draw.choice(graph.operators)
        op.intermediates = _indices(draw.randrange(len(graph.tensors)) for _ in range(5))
        named = [op]
    tensor = graph.tensors[draw.choice(draw.choice(named).intermediates)]
    if draw.random() < 0.3:
        return tensor
    tensor.type = draw.choice((tensor.type, tensor.type, *TYPES))
    tensor.quantization = tensor.quantization or _quantization(draw)
    return tensor.quantization


def quantization(model: Any, draw: random.Random) -> Any:
    """Scales and zero points of any tensor."""
    tensor = _tensor(model, draw)
    tensor.quantization = tensor.quantization or _quantization(draw)
    return tensor.quantization


def sparsity(model: Any, draw: random.Random) -> Any:
    """A tensor that says how its zeros are left out."""
    tensor = _tensor(model, draw)
    table = schema.SparsityParametersT()
    rank = 0 if tensor.shape is None else len(tensor.shape)
    table.traversalOrder = _indices(range(rank))
    table.blockMap = _indices(range(draw.randrange(3)))
    table.dimMetadata = [_dimension(draw) for _ in range(rank)]
    tensor.sparsity = table
    return table


def _dimension(draw: random.Random) -> Any:
    table = schema.DimensionMetadataT()
    table.format = draw.randrange(3)
    table.denseSize = draw.randrange(9)
    if table.format:
        table.arraySegmentsType = schema.SparseIndexVector.Int32Vector
        table.arraySegments = schema.Int32VectorT()
        table.arraySegments.values = _indices((0, draw.randrange(9)))
    return table


def signatures(model: Any, draw: random.Random) -> Any:
    """A name for the model's inputs and outputs, of which files have one a way to call them."""
    table = schema.SignatureDefT()
    table.signatureKey = draw.choice((b"serving_default", b"", b"\xff\xfe", b"train"))
    table.subgraphIndex = draw.choice((0, 0, 0, 1, 7))
    graph = _subgraph(model, draw)
    table.inputs = [_named(index, draw) for index in _some(graph.inputs)]
    table.outputs = [_named(index, draw) for index in _some(graph.outputs)]
    model.signatureDefs = [*(model.signatureDefs or []), table]
    return draw.choice([table, *table.inputs, *table.outputs])


def _named(index: int, draw: random.Random) -> Any:
    table = schema.TensorMapT()
    table.name = draw.choice((b"x", b"y", b"", b"\xc3"))
    table.tensorIndex = int(index)
    return table


def shape_signature(model: Any, draw: random.Random) -> Any:
    """A tensor whose sizes are open, beside those that it has."""
    tensor = _tensor(model, draw)
    sizes = list(_some(tensor.shape)) or [1]
    sizes[draw.randrange(len(sizes))] = draw.choice((-1, -1, 0, 2, LEAST))
    tensor.shapeSignature = _indices(sizes)
    return tensor


def metadata(model: Any, draw: random.Random) -> Any:
    """Bytes for other programs, under a name."""
    table = schema.MetadataT()
    table.name = draw.choice((b"min_runtime_version", b"TFLITE_METADATA", b"", b"\xff"))
    table.buffer = draw.randrange(len(model.buffers) + 2)
    model.metadata = [*(model.metadata or []), table]
    return table


def variable_tensors(model: Any, draw: random.Random) -> Any:
    """A tensor that keeps its bytes, or no longer does."""
    tensor = _tensor(model, draw)
    tensor.isVariable = not tensor.isVariable
    return tensor


def subgraphs(model: Any, draw: random.Random) -> Any:
    """One subgraph more, less or empty, called by nothing or by an operator that runs it once."""
    first = model.subgraphs[0]
    way = draw.choice(("copy", "empty", "remove", "call"))
    if way == "remove":
        model.subgraphs = model.subgraphs[:-1]
        return model
    other = copy.deepcopy(first) if way == "copy" else schema.SubGraphT()
    model.subgraphs.append(other)
    if way == "call":
        first.operators.insert(0, _call_once(model, draw))
    return other


def _call_once(model: Any, draw: random.Random) -> Any:
    code = schema.OperatorCodeT()
    code.builtinCode = schema.BuiltinOperator.CALL_ONCE
    code.deprecatedBuiltinCode = 127
    model.operatorCodes.append(code)
    table = schema.OperatorT()
    table.opcodeIndex = len(model.operatorCodes) - 1
    if draw.random() < 0.8:
        table.builtinOptionsType = schema.BuiltinOptions.CallOnceOptions
        table.builtinOptions = schema.CallOnceOptionsT()
        table.builtinOptions.initSubgraphIndex = draw.choice((1, 1, 0, -1, 99))
    return table


def custom_options(model: Any, draw: random.Random) -> Any:
    """Bytes that only a custom operator knows, now and then instead of the options of its own."""
    op = draw.choice(_subgraph(model, draw).operators)
    op.customOptions = np.frombuffer(draw.randbytes(draw.choice((1, 4, 64))), np.uint8)
    if draw.random() < 0.5:
        code = model.operatorCodes[op.opcodeIndex]
        code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
        code.customCode = draw.choice((None, b"", b"\xff", b"Flex*/", b"TFLite_Detection"))
    return op


def options(model: Any, draw: random.Random) -> Any:
    """An operator's options; those of a union may be of another table, or missing."""
    op = draw.choice(_subgraph(model, draw).operators)
    if op.builtinOptions is None or draw.random() < 0.2:
        return op
    return op.builtinOptions


def _subgraph(model: Any, draw: random.Random) -> Any:
    return draw.choice(model.subgraphs) if draw.random() < 0.1 else model.subgraphs[0]


def _tensor(model: Any, draw: random.Random) -> Any:
    return draw.choice(_subgraph(model, draw).tensors)


def _quantization(draw: random.Random) -> Any:
    table = schema.QuantizationParametersT()
    table.scale = np.array([draw.choice((0.0, 0.5, -1.0, 1e-40, float("nan")))], np.float32)
    table.zeroPoint = np.array([draw.choice((0, 0, 1, -128, 2**40))], np.int64)
    return table


def _some(values: Any) -> Any:
    return () if values is None else values


def _indices(values: Any) -> Any:
    return np.array([min(max(int(value), LEAST), MOST) for value in values], np.int32)


Place = Callable[[Any, random.Random], Any]
PLACES: tuple[Place, ...] = (
    *(intermediates, quantization, sparsity, signatures, shape_signature, metadata),
    *(variable_tensors, subgraphs, custom_options, options),
)
