"""What every file of ``tinyml/kernels`` implements: a kernel that may take an operator's place."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from tinyml.ir.graph import DType, Graph
from tinyml.ops.contract.c import PORTABLE, Isa, Kernel
from tinyml.ops.contract.operator import Operator
from tinyml.ops.contract.target import CMSIS_NN_VERSIONS, Target

Computed = TypeVar("Computed", bound=Operator)


@dataclass(frozen=True, kw_only=True)
class Candidate(abc.ABC, Generic[Computed]):
    """A kernel with the bytes of the operator's own, faster or smaller where it exists.

    ``isas`` and ``cmsis_nn`` say where that is; a kernel that changed with a version of CMSIS-NN is
    another candidate. Of those that are not refused and pay, the one of the highest ``preference``
    runs.
    """

    computes: ClassVar[type[Operator]]
    # The C function it calls, by the operator's dtype: those it computes.
    functions: ClassVar[Mapping[DType, str]]
    preference: ClassVar[int]

    isas: frozenset[Isa] = PORTABLE
    cmsis_nn: frozenset[int] = CMSIS_NN_VERSIONS

    @property
    def name(self) -> str:
        """The file that says all of it."""
        return type(self).__module__.rpartition(".")[2]

    @property
    def is_cmsis_nns(self) -> bool:
        """Whether CMSIS-NN has the kernel; else it is a file of firmware/kernels."""
        return all(function.startswith("arm_") for function in self.functions.values())

    def function(self, op: Computed, graph: Graph) -> str:
        """The C function for the operator's dtype."""
        return self.functions[graph.tensor(op.inputs[op.typed_input]).dtype]

    def exists_on(self, target: Target) -> bool:
        """Whether every core of ``target`` has it, in its version of CMSIS-NN."""
        return target.isas <= self.isas and target.cmsis_nn in self.cmsis_nn

    def concerns(self, op: Computed, graph: Graph) -> bool:
        """Whether it is for layers like ``op`` at all; where not, nobody is told why it is not."""
        del op, graph
        return True

    def refusal(self, op: Computed, graph: Graph) -> str | None:
        """Say why it does not compute ``op`` as it stands in ``graph``; None where it does."""
        del op, graph
        return None

    def does_not_pay(self, op: Computed, graph: Graph, target: Target) -> str | None:
        """Say why it is left out unless asked for by name, where it computes ``op`` all the same.

        That is where it costs more than it gives, for the target's goal; None where it pays.
        """
        del op, graph, target
        return None

    @abc.abstractmethod
    def bind(self, op: Computed, graph: Graph, target: Target) -> Kernel:
        """Make the calls for an operator that it does not refuse."""
