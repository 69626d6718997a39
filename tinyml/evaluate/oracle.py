"""Named oracles: what the int8 graph, and the float graph before it, must answer.

Operators say whose kernels give their bytes (``Operator.oracles_in``), and the first of them that
is installed runs each. Where none is, LiteRT does as well as it can, and ``Oracles.errors`` says
how far off that may be. The label names them all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from tinyml.errors import InputError
from tinyml.evaluate.stages import cut_into_stages
from tinyml.export.tflite import write_tflite
from tinyml.ir.graph import Array, Graph
from tinyml.ops.contract.operator import Operator, operators
from tinyml.runtime.tflite import (
    REFERENCE_RUNTIMES,
    RUNTIMES,
    Runtime,
    RuntimeFailedError,
    Stage,
    iterate_float,
    iterate_steps,
    reference_runtime,
    stacked,
)

# Packages that may be asked for in place of the first choice of each operator.
PACKAGES = tuple(runtime.package for runtime in REFERENCE_RUNTIMES)


@dataclass(frozen=True)
class Oracles:
    """What runs each operator of a graph that is prepared for the device.

    ``package`` is asked for its kernels of every operator that names them; those of ai-edge-litert,
    which has all operators, also where their answer is another than the device's.
    """

    graph: Graph
    package: str | None = None
    # What failed, by the name of the operator it was to run.
    failed: Mapping[str, tuple[Runtime, ...]] = field(default_factory=dict)

    @cached_property
    def runtimes(self) -> tuple[Runtime, ...]:
        """One for each operator."""
        return tuple(self._runtime(op) for op in operators(self.graph))

    @cached_property
    def errors(self) -> Mapping[str, int]:
        """Opcodes for which no runtime gives the right bytes, and the steps that it may be off by.

        None where a package was asked for: its answer counts as it is.
        """
        if self.package is not None:
            return {}
        errors: dict[str, int] = {}
        for op, runtime in zip(operators(self.graph), self.runtimes, strict=True):
            if runtime not in self._right(op):
                error = op.litert_error(self.graph)
                errors[op.kind] = max(errors.get(op.kind, 0), error)
        return errors

    @cached_property
    def label(self) -> str:
        """Name what runs most operators, then the others with the operators they run.

        In brackets stand those that failed on an operator before.
        """
        main = (self._asked or reference_runtime()).label
        found: dict[str, dict[str, None]] = {}
        for op, runtime in zip(operators(self.graph), self.runtimes, strict=True):
            failed = ", ".join(other.label for other in self.failed.get(op.name, ()))
            label = f"{runtime.label} ({failed} fails)" if failed else runtime.label
            found.setdefault(label, {})[op.kind] = None
        others = [
            f"{', '.join(sorted(opcodes))}: {label}"
            for label, opcodes in found.items()
            if label != main
        ]
        own = [main] if main in found or not others else []
        return "; ".join([*own, *sorted(others)])

    def require_installed(self) -> None:
        """Raise ToolchainError where a runtime is not installed, InputError where none is meant."""
        if self.package is not None and self.package not in PACKAGES:
            raise InputError(
                f"there is no oracle '{self.package}', expected {' or '.join(PACKAGES)}"
            )
        for runtime in self.runtimes:
            runtime.require_installed()

    def run(self, samples: Sequence[Array]) -> list[Array]:
        """Run every sample; int8 (N, *shape) per input and per output.

        Samples are the steps of one stream for a graph with state.
        """
        stages = cut_into_stages(self.graph, self.runtimes)
        inputs = dict(zip(self.graph.inputs, samples, strict=True))
        return stacked(iterate_steps(stages.steps, inputs, self.graph.outputs, stages.values))

    @property
    def _asked(self) -> Runtime | None:
        runtimes = RUNTIMES.values()
        return next((each for each in runtimes if each.package == self.package), None)

    def _right(self, op: Operator) -> list[Runtime]:
        return [RUNTIMES[oracle] for oracle in op.oracles_in(self.graph)]

    def _runtime(self, op: Operator) -> Runtime:
        return self._choices(op)[0]

    def _choices(self, op: Operator) -> list[Runtime]:
        """What may run the operator and has not failed on it; at worst LiteRT all the same."""
        right, litert = self._right(op), RUNTIMES[op.litert]
        asked = [runtime for runtime in right if runtime.package == self.package]
        if self.package == litert.package:
            asked = [*asked, litert]
        installed = [runtime for runtime in right if runtime.is_installed]
        failed = self.failed.get(op.name, ())
        choices = dict.fromkeys((*asked, *installed, litert))
        return [runtime for runtime in choices if runtime not in failed] or [litert]

    def after_failure(self) -> Oracles | None:
        """Leave out what fails on an operator that it runs by itself, on zeros.

        Where none does, it is what runs an operator that another may run. None where there is no
        other choice.
        """
        pairs = list(zip(operators(self.graph), self.runtimes, strict=True))
        found = [(op, runtime) for op, runtime in pairs if not _runs(self.graph, op, runtime)]
        failed = dict(self.failed)
        for op, runtime in found or pairs:
            if len(self._choices(op)) > 1:
                failed[op.name] = (*failed.get(op.name, ()), runtime)
        return replace(self, failed=failed) if failed != self.failed else None


def _runs(graph: Graph, op: Operator, runtime: Runtime) -> bool:
    """Whether the runtime takes the operator at all."""
    stages = cut_into_stages(replace(graph, ops=(op,), outputs=op.outputs), [runtime])
    (stage,) = stages.steps
    if not isinstance(stage, Stage):
        return True
    tensors = [graph.tensor(name) for name in stage.inputs]
    zeros = {t.name: np.zeros((1, *t.shape), t.dtype.numpy) for t in tensors}
    try:
        stacked(iterate_steps([stage], zeros))
    except RuntimeFailedError:
        return False
    return True


def run_oracles(oracles: Oracles, samples: Sequence[Array]) -> tuple[Oracles, list[Array]]:
    """Run every sample, where a runtime fails on the next that counts; say which did in the end."""
    while True:
        try:
            return oracles, oracles.run(samples)
        except RuntimeFailedError:
            others = oracles.after_failure()
            if others is None:
                raise
            oracles = others


def run_reference(
    graph: Graph, samples: Sequence[Array], package: str | None = None
) -> list[Array]:
    """Run a graph prepared for the device on the oracles of its operators."""
    return run_oracles(Oracles(graph, package), samples)[1]


def run_float(graph: Graph, samples: Sequence[Array]) -> list[Array]:
    """Run a float graph; float32 (N, *shape) per input and per output."""
    return stacked(iterate_float(graph, write_tflite(graph), samples))
