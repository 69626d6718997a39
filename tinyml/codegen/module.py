"""The C module that code generation hands to the firmware build."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ArenaSlot:
    """Where one input or output of the model lies in the arena, in bytes from its start."""

    name: str
    offset: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CModule:
    """Generated C for one model.

    ``name`` is the C prefix of every symbol. ``files`` maps file name to text (``NAME.h``,
    ``NAME.c``, ``NAME_weights.c``). ``kernels`` lists the files of ``firmware/kernels`` it calls.
    The entry point is ``int NAME_invoke(void *arena)``: 0, or the 1-based number of the layer
    that failed. Where ``state_bytes`` is not 0, it takes a ``NAME_state *`` besides, which
    ``NAME_init_state`` starts. Inputs and outputs are read and written in the arena, at their
    slots. ``cmsis_nn`` is the major version of CMSIS-NN whose kernels it calls, None where it calls
    none. ``constant_bytes`` is what all arrays of ``NAME_weights.c`` take, ``weights_by_tensor``
    gives the bytes of those that are constants of the graph, ``peak_by_tensor`` those of what
    the arena holds when it is fullest.
    """

    name: str
    files: Mapping[str, str]
    kernels: tuple[str, ...]
    arena_bytes: int
    arena_alignment: int
    inputs: tuple[ArenaSlot, ...]
    outputs: tuple[ArenaSlot, ...]
    weights_by_tensor: Mapping[str, int]
    peak_by_tensor: Mapping[str, int]
    state_bytes: int = 0
    cmsis_nn: int | None = None
    constant_bytes: int = 0
