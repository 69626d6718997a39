"""UNIDIRECTIONAL_SEQUENCE_LSTM as Keras has it: no peepholes, projection or layer norm.

Hidden and cell state are tensors of its own, and a sequence goes on where the last one ended.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from tinyml.errors import ModelError
from tinyml.ir.graph import DType, Graph, QuantParams, Tensor, TensorSpec
from tinyml.ir.verify import verify_quant
from tinyml.numerics.fixed_point import quantize_multiplier
from tinyml.ops.contract.c import ConstantArray, Kernel, KernelCall, Struct, TensorPointer
from tinyml.ops.contract.checks import require_dtype
from tinyml.ops.contract.dtypes import Kernels
from tinyml.ops.contract.operator import QuantizationRule
from tinyml.ops.contract.oracles import ALL_BUT_MICRO, Oracle
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp
from tinyml.ops.families.stateful import StatefulOperator

# Places among the 24 inputs; where there are four, in the order input, forget, update, output.
SOURCE = 0
INPUT_WEIGHTS = (1, 2, 3, 4)
HIDDEN_WEIGHTS = (5, 6, 7, 8)
BIASES = (12, 13, 14, 15)
HIDDEN, CELL = 18, 19
EXPECTED = frozenset({SOURCE, *INPUT_WEIGHTS, *HIDDEN_WEIGHTS, *BIASES, HIDDEN, CELL})
INPUTS = 24
# What further inputs mean, by the first and the last place of theirs.
VARIANTS = (
    (9, 11, "peepholes"),
    (16, 17, "a projection"),
    (20, 23, "layer normalization"),
)
# Places of the input gate, which a cell lacks whose input and forget gates are coupled.
COUPLED = frozenset({1, 5, 12})

GATES = ("input", "forget", "update", "output")
# Gates are 16 bits with 12 of fraction; their functions give 15 of fraction.
GATE_SCALE = 2.0**-12
GATE_OUTPUT_SCALE = 2.0**-15
# Integer bits of a cell for which the reference has tanh.
MOST_INTEGER_BITS = 6
HIDDEN_INTERMEDIATE = 4

TANH = 4


@dataclass(frozen=True, kw_only=True)
class Lstm(StatefulOperator):
    """``hidden`` is what the output is before it becomes the state; ``cell_clip`` 0 is none.

    With ``time_major`` steps come before batches in the shapes of input and output.
    """

    cell_clip: float
    hidden: QuantParams
    time_major: bool = False

    opcodes: ClassVar[tuple[str, ...]] = ("UNIDIRECTIONAL_SEQUENCE_LSTM",)
    oracles: ClassVar[tuple[Oracle, ...]] = ALL_BUT_MICRO
    kernels: ClassVar[Kernels] = {DType.INT8: ("tinyml_lstm_s8",)}

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read the clip and the hidden intermediate; refuse the variants Keras never makes."""
        known = len(node.intermediates) > HIDDEN_INTERMEDIATE
        hidden = node.intermediates[HIDDEN_INTERMEDIATE] if known else None
        operator = cls(
            name=node.name,
            inputs=(*node.inputs, *("",) * (INPUTS - len(node.inputs))),
            outputs=node.outputs,
            cell_clip=float(node.options.get("cellClip", 0.0)),
            time_major=bool(node.options.get("timeMajor", False)),
            hidden=hidden or QuantParams.per_tensor(1.0, 0),
        )
        operator._refuse_variants()
        operator._refuse_shared_state()
        if not (math.isfinite(operator.cell_clip) and operator.cell_clip >= 0):
            raise operator.error(f"clips its cell at {operator.cell_clip}, expected 0 or more")
        activation = node.options.get("fusedActivationFunction")
        if activation != TANH:
            raise operator.error(f"has activation {activation}, expected tanh, which is {TANH}")
        if hidden is None:
            raise operator._without_hidden(node)
        return operator

    def _refuse_shared_state(self) -> None:
        if self.inputs[HIDDEN] == self.inputs[CELL]:
            raise self.error(
                f"hidden and cell state are one tensor, '{self.inputs[CELL]}', as TensorFlow "
                "2.4 writes it by mistake; convert the model with a later TensorFlow"
            )

    def _without_hidden(self, node: TfliteNode) -> ModelError:
        """Say why nothing is known of the hidden values: in float there is nothing to know."""
        if node.tensors[self.inputs[SOURCE]].dtype is not DType.FLOAT32:
            return self.error("the file says no scale of its hidden values, expected int8")
        return self.error(
            "is float, and only TensorFlow's converter quantizes an LSTM: convert with "
            "Optimize.DEFAULT and a representative dataset; or give tinyml the Keras model, or "
            "build the Keras layer with unroll=True, whose operators tinyml quantizes"
        )

    def _refuse_variants(self) -> None:
        """Name what is no LSTM as Keras has it."""
        present = {place for place, name in enumerate(self.inputs) if name}
        extra, missing = sorted(present - EXPECTED), sorted(EXPECTED - present)
        firsts = (
            (what, [p for p in extra if first <= p <= last]) for first, last, what in VARIANTS
        )
        found = [f"{what} (input {places[0]})" for what, places in firsts if places]
        if set(missing) >= COUPLED:
            found.append("coupled input and forget gates (no inputs 1, 5 and 12)")
        elif missing:
            found.append(f"no input {missing[0]}")
        if found or extra:
            kind = " and ".join(found) or f"{INPUTS} inputs and more"
            raise self.error(
                f"has {kind}, expected an LSTM as Keras has it; train the layer without"
            )

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """(batches, steps, cells), or steps before batches."""
        require_dtype(self, graph)
        source = graph.tensor(self.inputs[SOURCE])
        if len(source.shape) != 3 or source.size == 0:
            raise self.error(f"input '{source.name}' is {source.shape}, expected 3 dimensions")
        batches, _, size = self._extent(graph)
        cells = graph.tensor(self.inputs[INPUT_WEIGHTS[0]]).shape[0]
        for place in INPUT_WEIGHTS:
            self.require_input(graph, place, DType.INT8, (cells, size))
        for place in HIDDEN_WEIGHTS:
            self.require_input(graph, place, DType.INT8, (cells, cells))
        for place in BIASES:
            self.require_input(graph, place, DType.INT32, (cells,))
        for place, dtype in ((HIDDEN, DType.INT8), (CELL, DType.INT16)):
            self.require_input(graph, place, dtype, (batches, cells))
            self.require_variable(graph, place)
        return (TensorSpec((*source.shape[:2], cells), DType.INT8),)

    def _extent(self, graph: Graph) -> tuple[int, int, int]:
        """Batches, steps and values of a step."""
        first, second, size = graph.tensor(self.inputs[SOURCE]).shape
        return (second, first, size) if self.time_major else (first, second, size)

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Name the weights; only models that are int8 already come here."""
        del graph
        return QuantizationRule(weights=dict.fromkeys((*INPUT_WEIGHTS, *HIDDEN_WEIGHTS)))

    def check_quantized(self, graph: Graph) -> None:
        """One scale for each tensor, constant weights, a cell whose scale is a power of two."""
        scaled = (SOURCE, *INPUT_WEIGHTS, *HIDDEN_WEIGHTS, HIDDEN, CELL)
        self.require_one_scale(graph, (self.inputs[place] for place in scaled))
        for place in (*INPUT_WEIGHTS, *HIDDEN_WEIGHTS, *BIASES):
            tensor = graph.tensor(self.inputs[place])
            if not tensor.is_constant or any(tensor.quant.zero_point if tensor.quant else ()):
                raise self.error(f"'{tensor.name}' must be constant, with zero point 0")
        verify_quant(Tensor(f"{self.name}/hidden", (), DType.INT8, self.hidden))
        bits = self._cell_integer_bits(graph)
        scale = graph.tensor(self.inputs[CELL]).scale
        if not 0 <= bits <= MOST_INTEGER_BITS or scale != 2.0 ** (bits - 15):
            raise self.error(
                f"the cell's scale is {scale:.9g}, expected a power of two from 2^-15 to 2^-9"
            )

    def _cell_integer_bits(self, graph: Graph) -> int:
        return 15 + round(math.log2(graph.tensor(self.inputs[CELL]).scale))

    def macs(self, graph: Graph) -> int:
        """All gates at every step."""
        batches, steps, _ = self._extent(graph)
        weights = (graph.tensor(self.inputs[p]) for p in (*INPUT_WEIGHTS, *HIDDEN_WEIGHTS))
        return batches * steps * sum(tensor.size for tensor in weights)

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write version 1, which runtimes take for int8."""
        del graph
        return TfliteOp(
            opcode="UNIDIRECTIONAL_SEQUENCE_LSTM",
            version=1,
            inputs=self.inputs,
            options_table="UnidirectionalSequenceLSTMOptions",
            options={
                "fusedActivationFunction": TANH,
                "cellClip": self.cell_clip,
                "timeMajor": self.time_major,
            },
            intermediates=(None,) * HIDDEN_INTERMEDIATE + (self.hidden,),
        )

    def to_c(self, graph: Graph) -> Kernel:
        """Call a kernel of our own: CMSIS-NN's predates the fixes of its LSTM."""
        batches, steps, size = self._extent(graph)
        cell = graph.tensor(self.inputs[CELL])
        half = np.float32(GATE_OUTPUT_SCALE)
        multiplier, shift = quantize_multiplier(float(half / np.float32(self._hidden_scale) * half))
        clip = min(float(np.float32(self.cell_clip) / np.float32(cell.scale)), 32767.0)
        fields = {
            "batches": batches,
            "steps": steps,
            "batch_stride": 1 if self.time_major else steps,
            "step_stride": batches if self.time_major else 1,
            "input_size": size,
            "cells": cell.shape[1],
            "cell_integer_bits": self._cell_integer_bits(graph),
            "cell_clip": int(clip),
            "output_multiplier": multiplier,
            "output_shift": shift,
            "output_offset": self.hidden.zero_point[0],
            **{gate: self._gate(graph, number, gate) for number, gate in enumerate(GATES)},
        }
        function = self.kernel_name(graph)
        call = KernelCall(
            function=function,
            arguments=(
                Struct("tinyml_lstm_params", "params", fields),
                *(TensorPointer(self.inputs[place]) for place in (SOURCE, HIDDEN, CELL)),
                TensorPointer(self.outputs[0]),
            ),
            source=f"{function}.c",
        )
        return Kernel(calls=(call,))

    @property
    def _hidden_scale(self) -> float:
        return self.hidden.scale[0]

    def _gate(self, graph: Graph, number: int, gate: str) -> Mapping[str, Any]:
        bias = graph.tensor(self.inputs[BIASES[number]]).constant
        parts = (
            ("input", self.inputs[SOURCE], INPUT_WEIGHTS[number], bias),
            ("hidden", self.inputs[HIDDEN], HIDDEN_WEIGHTS[number], np.zeros_like(bias)),
        )
        fields: dict[str, Any] = {}
        for name, source, place, start in parts:
            weights = graph.tensor(self.inputs[place])
            multiplier, shift = _multiplier(weights, graph.tensor(source))
            sums = weights.constant.astype(np.int64).sum(axis=1)
            offsets = start - sums * graph.tensor(source).zero_point
            fields |= {
                f"{name}_weights": ConstantArray(f"{gate}_{name}_weights", weights.constant),
                f"{name}_bias": ConstantArray(f"{gate}_{name}_bias", offsets.astype(np.int32)),
                f"{name}_multiplier": multiplier,
                f"{name}_shift": shift,
            }
        return fields


def _multiplier(weights: Tensor, source: Tensor) -> tuple[int, int]:
    """Multiply and divide scales in float32, as TFLite does here."""
    product = np.float32(weights.scale) * np.float32(source.scale)
    return quantize_multiplier(float(product / np.float32(GATE_SCALE)))
