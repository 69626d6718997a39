"""What a plan is made for."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from tinyml.ops.contract.c import PORTABLE, Isa

# Major versions of CMSIS-NN whose kernels are known; later ones are taken for the last.
CMSIS_NN_VERSIONS = frozenset([5, 6, 7])


class Goal(enum.Enum):
    """What kernels are chosen for, where it is not all the same."""

    SPEED = "speed"
    FLASH = "flash"


GOALS = tuple(goal.value for goal in Goal)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The cores that shall run it, all of them, and the major version of CMSIS-NN they call."""

    isas: frozenset[Isa] = PORTABLE
    cmsis_nn: int
    goal: Goal = Goal.SPEED
