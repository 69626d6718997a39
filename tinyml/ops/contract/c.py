"""An operator in C's terms: the calls of kernels that run it, and what they are given."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tinyml.ir.graph import Array


class Isa(enum.Enum):
    """The classes of Cortex-M core that CMSIS-NN tells apart."""

    SCALAR = "scalar"
    DSP = "dsp"
    MVE = "mve"


# C made for every core at once: scratch is the largest any of them needs.
PORTABLE = frozenset(Isa)


@dataclass(frozen=True, slots=True)
class Struct:
    """A ``static const`` struct, passed by address."""

    c_type: str
    name: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ConstantArray:
    """A ``const`` array of the weights file, passed by name."""

    suffix: str
    data: Array


@dataclass(frozen=True, slots=True)
class TensorPointer:
    """The address of a tensor: in the arena, or of its constant data; NULL for the empty name.

    Its type is that of the elements, or int8_t for a kernel that moves bytes.
    """

    name: str
    as_bytes: bool = False


@dataclass(frozen=True, slots=True)
class ScratchContext:
    """A ``cmsis_nn_context`` over the call's scratch, or over a constant array."""

    array: ConstantArray | None = None


@dataclass(frozen=True, slots=True)
class ScratchPointer:
    """The address of a byte of the layer's scratch, which its calls share."""

    offset: int


Argument = Struct | ConstantArray | TensorPointer | ScratchContext | ScratchPointer | int


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelCall:
    """One call of a C kernel. ``source`` is a file of firmware/kernels, None for CMSIS-NN."""

    function: str
    arguments: tuple[Argument, ...]
    source: str | None = None
    returns_status: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """How an operator runs on the device.

    ``calls`` run in order and share ``scratch_bytes``. ``may_overwrite`` lists the inputs whose
    memory the first output may take over byte for byte. With ``alias`` the output is the first
    input under another shape, and nothing runs. ``version_bound``: with another version of CMSIS-NN
    the same calls compile and are wrong.
    """

    calls: tuple[KernelCall, ...] = ()
    scratch_bytes: int = 0
    may_overwrite: tuple[str, ...] = ()
    alias: bool = False
    version_bound: bool = False
