"""Operators whose every element depends on the elements at its place alone."""

from __future__ import annotations

import abc
from dataclasses import dataclass

from tinyml.ir.graph import Array
from tinyml.ops.contract.operator import Operator


@dataclass(frozen=True, kw_only=True)
class PointwiseOperator(Operator):
    """An operator that may be one step of a function of one tensor."""

    @abc.abstractmethod
    def compute(self, *operands: Array) -> Array:
        """Real numbers to real numbers, float32 or bool, in the steps of TFLite's float kernel.

        The operands broadcast; where there is no finite number, the result is infinite or NaN.
        """
