"""What is chosen when a float graph is quantized."""

from __future__ import annotations

from dataclasses import dataclass

from tinyml.errors import InputError
from tinyml.ir.graph import DType, Op
from tinyml.ops.contract.dtypes import PARAMETERS
from tinyml.ops.depthwise_conv_2d import DepthwiseConv2D

ACTIVATIONS = (DType.INT8, DType.INT16)
WEIGHT_BITS = (4, 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """Choices of post-training quantization."""

    per_channel: bool = True
    activations: DType = DType.INT8  # or INT16
    weight_bits: int = 8  # or 4

    def __post_init__(self) -> None:
        if self.activations not in ACTIVATIONS:
            names = " or ".join(f"DType.{dtype.name}" for dtype in ACTIVATIONS)
            raise InputError(f"activations are to be {self.activations!r}, expected {names}")
        if self.weight_bits not in WEIGHT_BITS:
            raise InputError(f"weights are to have {self.weight_bits!r} bits, expected 4 or 8")

    def weight_bits_of(self, op: Op) -> int:
        """Bits of an operator's weights: a depthwise filter of 4 saves little and loses much."""
        return 8 if isinstance(op, DepthwiseConv2D) else self.weight_bits

    def weight_max(self, op: Op) -> int:
        """Largest weight of an operator, and but for its sign the smallest.

        It is symmetric, so that a product with -128 never occurs twice (arXiv 1806.08342, 2.2).
        """
        return int(2 ** (self.weight_bits_of(op) - 1) - 1)

    @property
    def bias(self) -> DType:
        """The dtype of biases."""
        return PARAMETERS[self.activations][1]


INT8 = Scheme()
