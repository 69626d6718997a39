"""A Graph to a .tflite flatbuffer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tinyml import __version__
from tinyml.errors import ModelError
from tinyml.ir.graph import Array, DType, Graph, Op, QuantParams, State, Tensor
from tinyml.numerics.affine import LIMITS, dequantize
from tinyml.ops.contract.inline_constant import InlineConstant
from tinyml.ops.contract.operator import FloatSteps, Operator, operators
from tinyml.ops.contract.tflite import TfliteOp
from tinyml.ops.dequantize import Dequantize
from tinyml.ops.maximum import Maximum
from tinyml.ops.minimum import Minimum
from tinyml.ops.quantize import Quantize

SCHEMA_VERSION = 3
IDENTIFIER = b"TFL3"

TYPES = {
    DType.FLOAT32: schema.TensorType.FLOAT32,
    DType.FLOAT16: schema.TensorType.FLOAT16,
    DType.INT8: schema.TensorType.INT8,
    DType.INT16: schema.TensorType.INT16,
    DType.INT32: schema.TensorType.INT32,
    DType.INT64: schema.TensorType.INT64,
    DType.UINT8: schema.TensorType.UINT8,
    DType.BOOL: schema.TensorType.BOOL,
}

# Operator codes up to here also fit the one-byte field that old runtimes read.
LARGEST_ONE_BYTE_CODE = schema.BuiltinOperator.PLACEHOLDER_FOR_GREATER_OP_CODES


class _AlignedBuilder(flatbuffers.Builder):  # type: ignore[misc]  # flatbuffers has no types
    """Aligns byte vectors as the schema's ``force_align: 16`` asks, which Python's lib ignores."""

    def CreateNumpyVector(self, x: Array) -> int:  # noqa: N802  # overrides the library's name
        if x.dtype != np.uint8:
            return int(super().CreateNumpyVector(x))
        self.StartVector(1, x.size, 16)
        self.head: int = self.head - x.size
        self.Bytes[self.head : self.head + x.size] = x.tobytes()
        return int(self.EndVector())


def write_tflite(graph: Graph) -> bytes:
    """Serialize; reading the result back gives an equal graph.

    Raises ModelError where a size does not fit the format's 32 bits.
    """
    builder = _AlignedBuilder(1024)
    model = _Writer(_with_float_steps(graph)).model()
    try:
        builder.Finish(model.Pack(builder), IDENTIFIER)
    except TypeError as error:  # that is how flatbuffers says that a number does not fit its field
        raise ModelError(
            f"'{graph.name}' has no form as a .tflite file, whose sizes have 32 bits: {error}"
        ) from error
    return bytes(builder.Output())


def _with_float_steps(graph: Graph) -> Graph:
    """Put a DEQUANTIZE before and a QUANTIZE after int8 operators the format has as float only."""
    tensors, ops = dict(graph.tensors), list[Op]()
    for op in operators(graph):
        before, after = (_fresh(f"{op.name}/{part}", tensors) for part in ("dequantized", "float"))
        if graph.tensor(op.inputs[0]).dtype is DType.FLOAT32:
            before = op.inputs[0]
        steps = op.float_steps(graph, before, after)
        if steps is None:
            ops.append(op)
            continue
        for name, like in ((before, op.inputs[0]), (after, op.outputs[0])):
            tensors[name] = Tensor(name, tensors[like].shape, DType.FLOAT32)
        if before != op.inputs[0]:
            ops.append(Dequantize(name=before, inputs=op.inputs[:1], outputs=(before,)))
        ops += _with_own_names(steps, tensors)
        if steps.saturate:
            ops += _saturated(tensors[after], tensors[op.outputs[0]], tensors)
        ops.append(Quantize(name=op.name, inputs=ops[-1].outputs, outputs=op.outputs))
    return replace(graph, tensors=tensors, ops=tuple(ops))


def _saturated(source: Tensor, output: Tensor, tensors: dict[str, Tensor]) -> Iterator[Operator]:
    """Bring what is no number, or beyond the output's range, to its ends: NaN to the lower one."""
    ends = dequantize(np.array(LIMITS[output.dtype], output.dtype.numpy), output.per_tensor)
    for kind, suffix, end in ((Maximum, "low", ends[0]), (Minimum, "high", ends[1])):
        bound, name = (_fresh(f"{source.name}/{n}", tensors) for n in (suffix, f"not_{suffix}er"))
        tensors[bound] = Tensor(bound, (), DType.FLOAT32, data=np.array(end))
        tensors[name] = replace(source, name=name)
        yield kind(name=name, inputs=(source.name, bound), outputs=(name,))
        source = tensors[name]


def _with_own_names(steps: FloatSteps, tensors: dict[str, Tensor]) -> tuple[Op, ...]:
    """Add the tensors of the steps, under names that the model has not taken."""
    names: dict[str, str] = {}
    for tensor in steps.tensors:
        names[tensor.name] = _fresh(tensor.name, tensors)
        tensors[names[tensor.name]] = replace(tensor, name=names[tensor.name])
    return tuple(op.renamed(names) for op in steps.ops)


def _fresh(name: str, taken: Mapping[str, object]) -> str:
    while name in taken:  # a model may have a tensor of that name
        name += "_"
    return name


class _Writer:
    """Collects the tables of one model in the order the format wants them."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.buffers = [_buffer(None)]  # buffer 0 is empty by convention
        self.tensors: list[Any] = []
        self.index: dict[str, int] = {}
        self.handles = {state.tensor for state in graph.states if state.variable}
        self.codes: dict[tuple[str, int], int] = {}

    def model(self) -> Any:
        for tensor in self.graph.tensors.values():
            self._add_tensor(tensor)
        variables = [state for state in self.graph.states if state.variable]
        declared = [self._call_once(), *map(self._handle, variables)] if variables else []
        ops = [*declared, *(self._operator(op) for op in operators(self.graph))]
        initialiser = [self._initialiser(variables)] if variables else []
        subgraph = schema.SubGraphT()
        subgraph.name = self.graph.name.encode()
        subgraph.tensors = self.tensors
        subgraph.inputs = self._indices(self.graph.inputs)
        subgraph.outputs = self._indices(self.graph.outputs)
        subgraph.operators = ops
        model = schema.ModelT()
        model.version = SCHEMA_VERSION
        model.description = f"tinyml {__version__}".encode()
        model.operatorCodes = [_operator_code(*code) for code in self.codes]
        model.subgraphs = [subgraph, *initialiser]
        model.buffers = self.buffers
        return model

    def _indices(self, names: tuple[str, ...]) -> Array:
        return np.array([self.index[name] if name else -1 for name in names], np.int32)

    def _add_tensor(self, tensor: Tensor) -> None:
        self.index[tensor.name] = len(self.tensors)
        self.tensors.append(self._tensor(tensor))

    def _tensor(self, tensor: Tensor) -> Any:
        if tensor.name in self.handles:
            return _handle_tensor(tensor.name)
        table = schema.TensorT()
        table.name = tensor.name.encode()
        table.shape = np.array(tensor.shape, np.int32)
        table.type = TYPES[tensor.dtype]
        # Scales of the integers that a float constant was read from are no runtime's business.
        table.quantization = _quantization(None if tensor.dtype is DType.FLOAT32 else tensor.quant)
        table.buffer = 0
        if tensor.data is not None:
            table.buffer = len(self.buffers)
            self.buffers.append(_buffer(tensor.data))
        table.isVariable = tensor.name in self.graph.state_names
        return table

    def _call_once(self) -> Any:
        """Run the second subgraph before the first inference."""
        options = {"initSubgraphIndex": 1}
        return self._declaration("CALL_ONCE", "CallOnceOptions", options)

    def _handle(self, state: State) -> Any:
        options = {"container": "", "sharedName": state.variable}
        table = self._declaration("VAR_HANDLE", "VarHandleOptions", options)
        table.outputs = self._indices((state.tensor,))
        return table

    def _initialiser(self, variables: Sequence[State]) -> Any:
        """Make the subgraph that assigns each variable its first value."""
        subgraph = schema.SubGraphT()
        subgraph.name = b"initialise"
        subgraph.inputs = subgraph.outputs = np.zeros(0, np.int32)
        subgraph.tensors, subgraph.operators = [], []
        for state in variables:
            first = len(subgraph.tensors)
            value = replace(
                self.graph.tensor(state.tensor), name=f"{state.tensor}/initial", data=state.initial
            )
            subgraph.tensors += [_handle_tensor(state.tensor), self._tensor(value)]
            handle = self._handle(state)
            handle.outputs = np.array([first], np.int32)
            assign = self._declaration("ASSIGN_VARIABLE", "AssignVariableOptions", {})
            assign.inputs = np.array([first, first + 1], np.int32)
            subgraph.operators += [handle, assign]
        return subgraph

    def _declaration(self, opcode: str, options_table: str, options: Mapping[str, Any]) -> Any:
        record = TfliteOp(
            opcode=opcode, version=1, inputs=(), options_table=options_table, options=options
        )
        table = schema.OperatorT()
        table.opcodeIndex = self.codes.setdefault((opcode, 1), len(self.codes))
        table.inputs = table.outputs = np.zeros(0, np.int32)
        table.builtinOptionsType = getattr(schema.BuiltinOptions, options_table)
        table.builtinOptions = _options(record)
        return table

    def _operator(self, op: Operator) -> Any:
        record = op.to_tflite(self.graph)
        table = schema.OperatorT()
        table.opcodeIndex = self.codes.setdefault((record.opcode, record.version), len(self.codes))
        table.inputs = self._indices(tuple(self._input_name(op, i) for i in record.inputs))
        table.outputs = self._indices(op.outputs)
        if record.intermediates:
            table.intermediates = self._intermediates(op, record.intermediates)
        if record.options_table is not None:
            table.builtinOptionsType = getattr(schema.BuiltinOptions, record.options_table)
            table.builtinOptions = _options(record)
        return table

    def _intermediates(self, op: Operator, quants: Sequence[QuantParams | None]) -> Array:
        names = []
        for number, quant in enumerate(quants):
            names.append(_fresh(f"{op.name}/intermediate_{number}", self.index))
            dtype = DType.FLOAT32 if quant is None else DType.INT8
            self._add_tensor(Tensor(names[-1], (0,), dtype, quant))
        return self._indices(tuple(names))

    def _input_name(self, op: Operator, source: str | InlineConstant) -> str:
        if isinstance(source, str):
            return source
        name = _fresh(f"{op.name}/{source.suffix}", self.index)
        self._add_tensor(
            Tensor(name, source.data.shape, DType(source.data.dtype.name), data=source.data)
        )
        return name


def _handle_tensor(name: str) -> Any:
    """Stand for a variable: the file's operators refer to it, its value is elsewhere."""
    table = schema.TensorT()
    table.name = name.encode()
    table.shape = np.zeros(0, np.int32)
    table.type = schema.TensorType.RESOURCE
    table.buffer = 0
    return table


def _buffer(data: Array | None) -> Any:
    table = schema.BufferT()
    if data is not None:
        table.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
    return table


def _quantization(quant: QuantParams | None) -> Any:
    table = schema.QuantizationParametersT()
    if quant is not None:
        table.scale = np.array(quant.scale, np.float32)
        table.zeroPoint = np.array(quant.zero_point, np.int64)
        table.quantizedDimension = quant.quantized_dimension or 0
    return table


def _operator_code(opcode: str, version: int) -> Any:
    table = schema.OperatorCodeT()
    table.builtinCode = getattr(schema.BuiltinOperator, opcode)
    table.deprecatedBuiltinCode = min(table.builtinCode, LARGEST_ONE_BYTE_CODE)
    table.version = version
    return table


def _options(record: TfliteOp) -> Any:
    table = getattr(schema, f"{record.options_table}T")()
    for name, value in record.options.items():
        if not hasattr(table, name):
            raise AttributeError(f"{record.options_table} has no field {name}")
        setattr(table, name, value)
    return table
