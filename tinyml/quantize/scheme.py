"""What is chosen when a float graph is quantized."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from tinyml.errors import InputError
from tinyml.ir.graph import DType, Op
from tinyml.ops.contract.dtypes import PARAMETERS
from tinyml.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyml.ops.quantize import Quantize
from tinyml.quantize.observers import ObserverKind

ACTIVATIONS = (DType.INT8, DType.INT16)
WEIGHT_BITS = (4, 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Choices for the layers whose name fits a pattern; None leaves what all others have.

    In ``layers``, a pattern, ``*`` stands for any characters, ``?`` for one and ``[abc]`` for one
    of these. ``methods`` are names of all that may change these layers.
    """

    layers: str
    observer: ObserverKind | None = None
    weight_bits: int | None = None
    activations: DType | None = None
    methods: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        _check_activations(self.activations)
        _check_weight_bits(self.weight_bits)

    def fits(self, name: str) -> bool:
        """Whether a layer of that name is meant."""
        return fnmatchcase(name, self.layers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """Choices of post-training quantization; where several overrides fit a layer, the last wins."""

    per_channel: bool = True
    activations: DType = DType.INT8  # or INT16
    weight_bits: int = 8  # or 4
    overrides: tuple[Override, ...] = ()

    def __post_init__(self) -> None:
        if self.activations is None or self.weight_bits is None:
            raise InputError("a scheme has activations and weight bits, expected no None")
        _check_activations(self.activations)
        _check_weight_bits(self.weight_bits)

    def _chosen(self, name: str, field: str) -> Iterator[Any]:
        """What overrides say of a field for a layer, the last first."""
        for override in reversed(self.overrides):
            if override.fits(name) and getattr(override, field) is not None:
                yield getattr(override, field)

    def weight_bits_of(self, op: Op) -> int:
        """Bits of an operator's weights: a depthwise filter of 4 saves little and loses much."""
        default = 8 if isinstance(op, DepthwiseConv2D) else self.weight_bits
        return next(self._chosen(op.name, "weight_bits"), default)

    def weight_max(self, op: Op) -> int:
        """Largest weight of an operator, and but for its sign the smallest.

        It is symmetric, so that a product with -128 never occurs twice (arXiv 1806.08342, 2.2).
        """
        return int(2 ** (self.weight_bits_of(op) - 1) - 1)

    def activations_of(self, op: Op) -> DType:
        """The dtype of what an operator reads and writes; of a QUANTIZE, of what it writes."""
        if isinstance(op, Quantize):
            return op.dtype
        return next(self._chosen(op.name, "activations"), self.activations)

    def bias_of(self, op: Op) -> DType:
        """The dtype of an operator's bias."""
        return PARAMETERS[self.activations_of(op)][1]

    def observer_of(self, op: Op, default: ObserverKind) -> ObserverKind:
        """What finds the range of an operator's outputs."""
        return next(self._chosen(op.name, "observer"), default)

    def methods_of(self, op: Op, default: tuple[str, ...]) -> tuple[str, ...]:
        """Names of the methods that may change an operator."""
        return next(self._chosen(op.name, "methods"), default)


def _check_activations(activations: DType | None) -> None:
    if activations not in {*ACTIVATIONS, None}:
        names = " or ".join(f"DType.{dtype.name}" for dtype in ACTIVATIONS)
        raise InputError(f"activations are to be {activations!r}, expected {names}")


def _check_weight_bits(bits: int | None) -> None:
    if bits not in {*WEIGHT_BITS, None}:
        raise InputError(f"weights are to have {bits!r} bits, expected 4 or 8")


INT8 = Scheme()
