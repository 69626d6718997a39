"""The contract of an operator, and the plain records its methods return.

An operator knows everything about itself, in pipeline order: how to read it from a TFLite node,
its output shapes, its quantization rule, its cost, and how to write it as TFLite, ONNX and C.
The exporters own flatbuffers, ONNX and C text; none of them switches on the operator's type.
"""

from __future__ import annotations

import abc
import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from tinyml.errors import ModelError
from tinyml.ir.graph import Array, DType, Graph, Op, QuantParams, Tensor
from tinyml.ops.dtypes import Kernels
from tinyml.ops.onnx_node import OnnxLowering, OnnxNodeIn, Operands
from tinyml.ops.oracles import EVERY_REFERENCE, Oracle

# --------------------------------------------------------------------------- reading


@dataclass(frozen=True, slots=True, kw_only=True)
class TfliteNode:
    """One operator of a .tflite file, decoded to names and plain values.

    ``options`` holds the fields of the builtin options table under the schema's camelCase names,
    ``intermediates`` the parameters of what the operator computes on its way.
    """

    opcode: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    options: Mapping[str, Any]
    tensors: Mapping[str, Tensor]
    intermediates: tuple[QuantParams | None, ...] = ()

    def constant_input(self, index: int) -> Array:
        """Value of an input that must be known at build time."""
        tensor = self.tensors[self.inputs[index]]
        if tensor.data is None:
            raise ModelError(
                f"{self.opcode} '{self.name}': input {index} ('{tensor.name}') is computed at run "
                "time, expected a constant; static shapes are needed on the device"
            )
        return tensor.data


# --------------------------------------------------------------------------- quantization


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantizationRule:
    """How an operator's tensors are quantized.

    ``weights`` maps an input's index to the axis its per-channel scales run along, None where they
    are per tensor always. ``bias`` is the index of the int32 bias, whose scale is input scale x
    weight scale. ``output_follows_input``: all outputs take the first input's parameters.
    ``inputs_follow_output``: all inputs take the output's. ``fixed_output``: the output's
    parameters are given by the operator's definition; ``fixed_wide_output`` those of int16.
    """

    weights: Mapping[int, int | None] = field(default_factory=dict)
    bias: int | None = None
    output_follows_input: bool = False
    inputs_follow_output: bool = False
    fixed_output: QuantParams | None = None
    fixed_wide_output: QuantParams | None = None

    def fixed(self, dtype: DType) -> QuantParams | None:
        """The parameters the definition gives an output of ``dtype``."""
        return self.fixed_wide_output if dtype is DType.INT16 else self.fixed_output


# --------------------------------------------------------------------------- writing TFLite


@dataclass(frozen=True, slots=True)
class InlineConstant:
    """A constant the file format wants as an input where the graph has a field."""

    suffix: str
    data: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class TfliteOp:
    """One operator to write: schema names, lowest version that says what is meant.

    ``in_float``: the operator has one int8 input and output but is a float one to the format, so
    that a DEQUANTIZE comes before it and a QUANTIZE after it. ``intermediates`` are the parameters
    of what it computes on its way.
    """

    opcode: str
    version: int
    inputs: tuple[str | InlineConstant, ...]
    options_table: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    in_float: bool = False
    intermediates: tuple[QuantParams | None, ...] = ()


# --------------------------------------------------------------------------- writing ONNX


class Layout(enum.Enum):
    """The order of dimensions an ONNX node needs its activations in."""

    CHANNELS_LAST = "as stored"
    CHANNELS_FIRST = "NCHW"
    ANY = "whatever its inputs have, the same for all"


@dataclass(frozen=True, slots=True)
class OnnxWeight:
    """A constant tensor of the graph, transposed by ``permutation`` for ONNX."""

    name: str
    permutation: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxNode:
    """One ONNX node in float terms; the exporter adds the QuantizeLinear/DequantizeLinear pairs.

    An input is a tensor of the graph, an OnnxWeight, an InlineConstant, or the output of an
    earlier node of the same operator. ``axis_attributes`` names attributes that hold a dimension
    index of an NHWC tensor, or a list of them, which the exporter rewrites where it keeps the
    tensor in NCHW. An output that is no tensor of the graph stays float, unless ``quantized_like``
    names the tensor whose parameters it takes.
    """

    op_type: str
    inputs: tuple[str | OnnxWeight | InlineConstant, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    layout: Layout = Layout.CHANNELS_LAST
    axis_attributes: tuple[str, ...] = ()
    quantized_like: str = ""


def any_layout(
    op_type: str,
    inputs: tuple[str | InlineConstant, ...],
    outputs: tuple[str, ...],
    **attributes: Any,
) -> OnnxNode:
    """Make a node that computes element by element, in whatever layout its inputs have."""
    return OnnxNode(
        op_type=op_type,
        inputs=inputs,
        outputs=outputs,
        attributes=attributes,
        layout=Layout.ANY,
    )


# --------------------------------------------------------------------------- writing C


class Isa(enum.Enum):
    """The classes of Cortex-M core that CMSIS-NN tells apart."""

    SCALAR = "scalar"
    DSP = "dsp"
    MVE = "mve"


# C made for every core at once: scratch is the largest any of them needs.
PORTABLE = frozenset(Isa)


@dataclass(frozen=True, slots=True)
class Struct:
    """A ``static const`` struct, passed by address."""

    c_type: str
    name: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ConstantArray:
    """A ``const`` array of the weights file, passed by name."""

    suffix: str
    data: Array


@dataclass(frozen=True, slots=True)
class TensorPointer:
    """The address of a tensor: in the arena, or of its constant data; NULL for the empty name.

    Its type is that of the elements, or int8_t for a kernel that moves bytes.
    """

    name: str
    as_bytes: bool = False


@dataclass(frozen=True, slots=True)
class ScratchContext:
    """A ``cmsis_nn_context`` over the call's scratch, or over a constant array."""

    array: ConstantArray | None = None


@dataclass(frozen=True, slots=True)
class ChangedIn7:
    """An argument that CMSIS-NN 7.0.0 changed; None where a version has no such argument."""

    before: Argument | None
    since: Argument | None


Argument = Struct | ConstantArray | TensorPointer | ScratchContext | ChangedIn7 | int


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelCall:
    """One call of a C kernel. ``source`` is a file of firmware/kernels, None for CMSIS-NN."""

    function: str
    arguments: tuple[Argument, ...]
    source: str | None = None
    returns_status: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """How an operator runs on the device.

    ``calls`` run in order and share ``scratch_bytes``. ``may_overwrite`` lists the inputs whose
    memory the first output may take over byte for byte. With ``alias`` the output is the first
    input under another shape, and nothing runs. ``since_6`` takes its place with CMSIS-NN 6.0.0 and
    later, where a kernel changed.
    """

    calls: tuple[KernelCall, ...] = ()
    scratch_bytes: int = 0
    may_overwrite: tuple[str, ...] = ()
    alias: bool = False
    since_6: Kernel | None = None


# --------------------------------------------------------------------------- the contract


@dataclass(frozen=True, kw_only=True)
class Operator(Op):
    """What every file in this folder implements once."""

    opcodes: ClassVar[tuple[str, ...]]
    # The dtypes it takes, and the C functions ``to_c`` may call for each: none for float32, which
    # is quantized before, and where ``without_kernel`` says why.
    kernels: ClassVar[Kernels]
    # Functions among them that are called on some classes of core only.
    only_for: ClassVar[Mapping[str, frozenset[Isa]]] = {}
    # The input whose dtype those of ``kernels`` are.
    typed_input: ClassVar[int] = 0
    # What becomes of an operator that calls nothing on the device.
    without_kernel: ClassVar[str] = ""
    # Whose kernels give its bytes, first choice first; ``oracles_in`` where the variant matters.
    oracles: ClassVar[tuple[Oracle, ...]] = EVERY_REFERENCE
    # What LiteRT, the one runtime that is there on every system, runs it with, right or not.
    litert: ClassVar[Oracle] = Oracle.LITERT
    # ONNX operators that may become this one, and how each wants its operands.
    onnx_types: ClassVar[Mapping[str, Operands]] = {}

    @classmethod
    @abc.abstractmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read the operator; ModelError for a variant that is not supported."""

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read one of ``onnx_types``; None for a variant that another class may take.

        ModelError for a variant that is this operator's and is not supported.
        """
        del node
        return None

    def as_int8(self) -> Self:
        """Give the operator that takes the place of this one when its tensors become int8."""
        return self

    @abc.abstractmethod
    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """How post-training quantization treats the operator's tensors."""

    def macs(self, graph: Graph) -> int:
        """Multiply-accumulates of one inference."""
        del graph
        return 0

    def fold(self, graph: Graph) -> tuple[Array, ...] | None:
        """Value of each output where it follows from constants and static shapes, else None."""
        del graph
        return None

    @abc.abstractmethod
    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Describe the operator in TFLite's terms."""

    @abc.abstractmethod
    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Describe the operator in ONNX's terms, as float nodes."""

    @abc.abstractmethod
    def to_c(self, graph: Graph, isas: frozenset[Isa]) -> Kernel:
        """Choose the kernel that runs the int8 operator on all of ``isas``."""

    def kernel_names(self, graph: Graph) -> tuple[str, ...]:
        """What ``kernels`` has for the operator's dtype; ModelError where that is nothing."""
        tensor = graph.tensor(self.inputs[self.typed_input])
        names = self.kernels.get(tensor.dtype, ())
        if not names:
            raise self.error(
                f"'{tensor.name}' is {tensor.dtype.value}, for which the device has no kernel; "
                "quantize the whole model"
            )
        return names

    def kernel_name(self, graph: Graph) -> str:
        """The only function ``kernels`` has for the operator's dtype."""
        (name,) = self.kernel_names(graph)
        return name

    def oracles_in(self, graph: Graph) -> tuple[Oracle, ...]:
        """Say whose kernels give the bytes of the operator as it stands in ``graph``."""
        del graph
        return self.oracles

    def litert_error(self, graph: Graph) -> int:
        """Steps of the output that LiteRT may be off by where it is none of ``oracles_in``."""
        del graph
        return 1

    def check_quantized(self, graph: Graph) -> None:
        """Hold the parameters to ``quantization_rule``."""
        rule = self.quantization_rule(graph)
        for name in self.outputs:
            self._check_output(graph, rule, graph.tensor(name))

    def _check_output(self, graph: Graph, rule: QuantizationRule, output: Tensor) -> None:
        fixed = None if output.dtype is DType.FLOAT32 else rule.fixed(output.dtype)
        if fixed is not None and output.quant != fixed:
            raise self.error(
                f"output '{output.name}' must have {describe_quant(fixed)}, "
                f"got {describe_quant(output.quant)}"
            )
        followers = self.present_inputs if rule.inputs_follow_output else ()
        if rule.output_follows_input:
            followers = self.inputs[:1]
        for name in followers:
            if graph.tensor(name).dtype is DType.BOOL:  # a condition has no scale
                continue
            if graph.tensor(name).quant != output.quant:
                raise self.error(
                    f"'{name}' and '{output.name}' must share scale and zero point, got "
                    f"{describe_quant(graph.tensor(name).quant)} and {describe_quant(output.quant)}"
                )

    def error(self, message: str) -> ModelError:
        """Make an error that says which operator it is about."""
        return ModelError(f"{self.opcodes[0]} '{self.name}': {message}")


def describe_quant(quant: QuantParams | None) -> str:
    """Put quantization parameters in words."""
    if quant is None:
        return "no quantization"
    if quant.is_per_channel:
        return f"{len(quant.scale)} scales along dimension {quant.quantized_dimension}"
    return f"scale {quant.scale[0]:.9g}, zero point {quant.zero_point[0]}"


def operators(graph: Graph) -> Iterator[Operator]:
    """Iterate over the graph's operators with their full contract."""
    for op in graph.ops:
        if not isinstance(op, Operator):
            raise TypeError(f"'{op.name}' is not an Operator")
        yield op
