"""What rounding does to the weights and to the activations of one layer, in figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tinyml.data.metrics import decibels, power
from tinyml.ir.graph import Array, DType, QuantParams
from tinyml.numerics.affine import LIMITS, dequantize, quantize
from tinyml.ops.contract.operator import Operator
from tinyml.quantize.prepare import Prepared


@dataclass(slots=True)
class ActivationRounding:
    """Powers of float values and of the error of rounding them, summed up over batches."""

    signal: float = 0.0
    error: float = 0.0
    clipping: float = 0.0  # of the error, what values beyond the range make
    clipped: int = 0
    count: int = 0
    peak: float = 0.0

    def add(self, values: Array, params: QuantParams, dtype: DType) -> None:
        """Take in float32 values of any shape that become ``dtype``."""
        errors = dequantize(quantize(values, params, dtype), params).astype(np.float64) - values
        low, high = _limits(params, dtype)
        outside = (values < low) | (values > high)
        self.signal += power(values)
        self.error += power(errors)
        self.clipping += power(errors[outside])
        self.clipped += int(outside.sum())
        self.count += values.size
        self.peak = max(self.peak, float(np.abs(values).max(initial=0)))

    @property
    def db(self) -> float | None:
        """Signal to error; None where no values were rounded."""
        return decibels(self.signal, self.error) if self.count else None

    @property
    def clipped_share(self) -> float | None:
        """Share of the values that were beyond the range."""
        return self.clipped / self.count if self.count else None

    @property
    def clipping_share(self) -> float | None:
        """Share of the error's power that these make."""
        return self.clipping / self.error if self.error else None

    @property
    def peak_ratio(self) -> float | None:
        """Largest absolute value over the root mean square."""
        return self.peak / float(np.sqrt(self.signal / self.count)) if self.signal else None


@dataclass(frozen=True)
class WeightRounding:
    """The weights of one operator, its bias apart.

    ``constants`` are the float ones, ``parameters`` are ``real_parameters``, both by operator and
    place among its inputs. Without an operator there are no weights.
    """

    prepared: Prepared
    constants: Mapping[tuple[str, int], Array]
    parameters: Mapping[tuple[str, int], Array]
    op: Operator | None

    @cached_property
    def places(self) -> Mapping[int, int | None]:
        """Places of weights among the inputs, and the axis of their channels."""
        if self.op is None:
            return {}
        weights = self.op.quantization_rule(self.prepared.graph).weights
        return {n: axis for n, axis in weights.items() if (self.op.name, n) in self.parameters}

    @property
    def bits(self) -> int | None:
        """Bits of a weight; None where there are no weights."""
        return self.prepared.scheme.weight_bits_of(self.op) if self.op and self.places else None

    @property
    def db(self) -> float | None:
        """Signal to error of all weights together; None where there are none."""
        if not self.places:
            return None
        pairs = [(self._real(n), self._rounded(n)) for n in self.places]
        signal = sum(power(real) for real, _ in pairs)
        return decibels(signal, sum(power(real - rounded) for real, rounded in pairs))

    @property
    def is_one_scale(self) -> bool:
        """Whether all channels of some weights share a scale."""
        is_shared = not self.prepared.scheme.per_channel
        return any(axis is None or is_shared for axis in self.places.values())

    @property
    def channel_ratio(self) -> float | None:
        """Largest range of a channel over the median one's; channels of zeros do not count."""
        ratios = []
        for index, axis in self.places.items():
            channels = np.moveaxis(self._real(index), axis or 0, 0)
            ranges = np.abs(channels.reshape(len(channels), -1)).max(axis=1)
            if ranges.any():
                ratios.append(float(ranges.max() / np.median(ranges[ranges > 0])))
        return max(ratios, default=None)

    @property
    def _op(self) -> Operator:
        if self.op is None:
            raise ValueError("there are no weights without an operator")
        return self.op

    def _real(self, index: int) -> Array:
        return self.constants[self._op.name, index]

    def _rounded(self, index: int) -> Array:
        return self.parameters[self._op.name, index]


def _limits(params: QuantParams, dtype: DType) -> tuple[float, float]:
    """Smallest and largest real number that is rounded and not cut off."""
    first, last = LIMITS[dtype]
    scale, zero_point = params.scale[0], params.zero_point[0]
    return scale * (first - 0.5 - zero_point), scale * (last + 0.5 - zero_point)
