"""What could be read of a model that cannot be used as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from tinyml.errors import ModelError, RefusedError, said_once
from tinyml.ir.graph import Graph, Tensor
from tinyml.ops.contract.operator import Operator, operators


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOperator:
    """One operator of a file, under the file's name for its kind.

    ``output`` is its first output, None where that is not known; ``op`` the operator where it could
    be read, ``reason`` why not.
    """

    kind: str
    name: str
    output: Tensor | None = None
    op: Operator | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialModel:
    """Operators in the file's order; ``problems`` are those of no operator.

    ``inputs`` and ``outputs`` are None where nothing is known but the name. ``tensors`` are those
    the operators read and write.
    """

    name: str
    inputs: Mapping[str, Tensor | None]
    outputs: Mapping[str, Tensor | None]
    operators: tuple[FileOperator, ...]
    tensors: Mapping[str, Tensor]
    problems: tuple[str, ...] = ()


class PartlyReadError(ModelError):
    """A model asks for what tinyml cannot do; ``partial`` is what else is in it."""

    def __init__(self, message: str, partial: PartialModel) -> None:
        super().__init__(message)
        self.partial = partial


def read_operator(op: Operator, graph: Graph) -> FileOperator:
    """Describe an operator that could be read; what assigns a variable shows that."""
    output = graph.tensors.get((*op.outputs, *op.inputs)[0])
    return FileOperator(kind=op.kind, name=op.name, output=output, op=op)


def partly_read(graph: Graph, error: ModelError) -> PartlyReadError:
    """Turn an error about a graph that was read, but is not right, into one that shows it."""
    reasons = error.reasons if isinstance(error, RefusedError) else {}
    partial = PartialModel(
        name=graph.name,
        inputs={name: graph.tensors.get(name) for name in graph.inputs},
        outputs={name: graph.tensors.get(name) for name in graph.outputs},
        operators=tuple(
            replace(read_operator(op, graph), reason=reasons.get(op.name))
            for op in operators(graph)
        ),
        tensors=graph.tensors,
        problems=() if reasons else (str(error),),
    )
    return PartlyReadError(str(error), partial)


@contextmanager
def noting(problems: list[str]) -> Iterator[None]:
    """Go on where the model asks for what tinyml cannot do, after taking a note of it."""
    try:
        yield
    except ModelError as error:
        problems.append(str(error))


def listed(refused: Sequence[str], total: int, kind: str) -> str:
    """The message on operators or nodes that cannot be used, a line for each cause."""
    count = f"{len(refused)} of the model's {total} {kind}s"
    return "\n  ".join([f"{count} cannot be used:", *said_once(refused)])
