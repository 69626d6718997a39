"""Batches: operands whose leading dimension is several times what the graph says.

What an operator makes of such operands is what it makes of each sample, one after another along the
leading dimension of the output. Operators that touch that dimension give each sample its own place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinyml.ir.graph import Shape, Tensor
from tinyml.numerics.arrays import ArrayLibrary


def apart(xp: ArrayLibrary, x: Any, shape: Shape, rank: int = 0) -> Any:
    """(N, *shape) of N times ``shape`` along its leading dimension; N is 1 for a constant.

    With a ``rank`` above that of the shape there are ones before it, as when it is broadcast.
    """
    samples = 1 if 0 in shape else -1
    return xp.reshape(x, (samples, *(1,) * (rank - len(shape)), *shape))


def joined(xp: ArrayLibrary, x: Any, shape: Shape) -> Any:
    """N times ``shape`` along its leading dimension, of elements in that order."""
    return xp.reshape(x, (-1, *shape[1:]) if shape and 0 not in shape else shape)


def all_apart(xp: ArrayLibrary, operands: Sequence[Any], tensors: Sequence[Tensor]) -> list[Any]:
    """Each (N, *its shape), constants repeated as often as the others have samples."""
    parts = [apart(xp, x, tensor.shape) for x, tensor in zip(operands, tensors, strict=True)]
    fixed = [tensor.is_constant for tensor in tensors]
    if len({*fixed}) == 1:
        return parts
    # While Keras makes a model, only an array of as many samples knows how many there are.
    computed = fixed.index(False)
    elements = xp.reshape(parts[computed], (-1, tensors[computed].size))
    everywhere = xp.ones_like(elements[:, :1], dtype="bool")
    return [
        xp.where(apart(xp, everywhere, (1,) * len(tensor.shape)), part, part)
        if tensor.is_constant
        else part
        for part, tensor in zip(parts, tensors, strict=True)
    ]


def broadcasts_as_it_is(tensors: Sequence[Tensor], shapes: Sequence[Shape], output: Shape) -> bool:
    """Whether batches of operands of these shapes broadcast to batches of ``output``.

    They do where activations have its leading dimension, and constants none that is in the way.
    """
    return not output or all(
        len(shape) < len(output) or shape[0] == 1
        if tensor.is_constant
        else (len(shape), shape[:1]) == (len(output), output[:1])
        for tensor, shape in zip(tensors, shapes, strict=True)
    )
