"""The contract of an operator, and the plain records its methods return.

An operator knows everything about itself, in pipeline order: how to read it from a TFLite node,
its output shapes, its quantization rule, its cost, and how to write it as TFLite, ONNX and C.
The exporters own flatbuffers, ONNX and C text; none of them switches on the operator's type.
"""

from __future__ import annotations

import abc
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np

from tinyml.errors import ModelError
from tinyml.ir.graph import Array, DType, Graph, Op, QuantParams, Tensor
from tinyml.numerics import arrays
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.c import Kernel
from tinyml.ops.contract.dtypes import Kernels
from tinyml.ops.contract.onnx import OnnxLowering, OnnxNode, OnnxNodeIn, Operands
from tinyml.ops.contract.oracles import EVERY_REFERENCE, Oracle
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp


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


@dataclass(frozen=True, slots=True)
class FloatSteps:
    """Float operators that stand for an int8 one in a file, and the tensors only they know.

    ``saturate``: some results are infinite, NaN or beyond int32, which the QUANTIZE after them may
    take for anything.
    """

    ops: tuple[Operator, ...]
    tensors: tuple[Tensor, ...] = ()
    saturate: bool = False


@dataclass(frozen=True, kw_only=True)
class Operator(Op):
    """What every file of ``tinyml/ops`` implements once."""

    opcodes: ClassVar[tuple[str, ...]]
    # The dtypes it takes, and the C functions ``to_c`` may call for each: none for float32, which
    # is quantized before, and where ``without_kernel`` says why.
    kernels: ClassVar[Kernels]
    # The input whose dtype those of ``kernels`` are.
    typed_input: ClassVar[int] = 0
    # What becomes of an operator that calls nothing on the device.
    without_kernel: ClassVar[str] = ""
    # Why there is no ``compute``, where there is none.
    without_compute: ClassVar[str] = ""
    # Whether ``compute`` has a gradient that says anything.
    differentiable: ClassVar[bool] = True
    # Whether halves are rounded away from the integer 0, and not from the real number.
    rounds_integers: ClassVar[bool] = False
    # Whether constants become a constant when a model is read.
    folds: ClassVar[bool] = False
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

    def sum_scale(self, graph: Graph, *scales: Any) -> Any:
        """What one step of the sums stands for that the kernel brings to the output's scale.

        ``scales`` are those of the inputs, numbers or arrays; None where it does not do so in one.
        """
        del graph, scales
        return None

    def macs(self, graph: Graph) -> int:
        """Multiply-accumulates of one inference."""
        del graph
        return 0

    @abc.abstractmethod
    def compute(self, xp: ArrayLibrary, graph: Graph, *operands: Any) -> tuple[Any, ...]:
        """What the operator is in real numbers: its outputs, with the functions of ``xp``.

        ``xp`` is ``tinyml.numerics.arrays`` or ``keras.ops``. There is one operand, of the shape
        that ``graph`` says, for each of ``inputs``, None for an absent one: float32, or integers
        and bools where the tensor is of such without a scale. The leading dimension may be several
        times what ``graph`` says where that is 1: a batch. ModelError where ``without_compute``
        says why.
        """

    def fold(self, graph: Graph) -> tuple[Array, ...] | None:
        """Value of each output where it follows from constants and static shapes, else None."""
        if not self.folds or not all(graph.tensor(name).is_constant for name in self.inputs):
            return None
        constants = [graph.tensor(name).constant for name in self.inputs]
        return tuple(np.asarray(y, order="C") for y in self.compute(arrays, graph, *constants))

    @abc.abstractmethod
    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Describe the operator in TFLite's terms."""

    def float_steps(self, graph: Graph, source: str, output: str) -> FloatSteps | None:
        """Say what the operator is in a file that has it as float only.

        The steps read the float tensor ``source``, a DEQUANTIZE of an int8 input, and write
        ``output``, which a QUANTIZE takes to the operator's own. None for what ``to_tflite``
        describes.
        """
        del graph, source, output
        return None

    @abc.abstractmethod
    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Describe the operator in ONNX's terms, as float nodes."""

    @abc.abstractmethod
    def to_c(self, graph: Graph) -> Kernel:
        """Give the kernel that is right on every core, with every version of CMSIS-NN."""

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
            if graph.tensor(name).dtype is not output.dtype:  # a condition, indices: without scale
                continue
            if graph.tensor(name).quant != output.quant:
                raise self.error(
                    f"'{name}' and '{output.name}' must share scale and zero point, got "
                    f"{describe_quant(graph.tensor(name).quant)} and {describe_quant(output.quant)}"
                )

    @property
    def kind(self) -> str:
        """TFLite's name of the operator as it stands here, one of ``opcodes``."""
        return self.opcodes[0]

    def error(self, message: str) -> ModelError:
        """Make an error that says which operator it is about."""
        return ModelError(f"{self.kind} '{self.name}': {message}")


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
