"""The sound of a small electric car, healthy or with one fault: what stands in for ToyADMOS.

A shaft turns with some drift and jitter. Its harmonics, the meshing of a gear and its side bands,
the whine of the motor and the noise of the brushes make up the sound.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .audio import RATE, Sound

TEETH = 17
POLES = 61


@dataclass(frozen=True)
class Machine:
    """How a machine runs; frequencies in Hz, amplitudes of a full scale of 1.

    ``wobble`` is the share of the gear's loudness that comes and goes with the shaft, ``clicks``
    the amplitude of a knock each turn, ``whine`` that of a tone of its own at ``whine_hz``.
    """

    speed: float
    harmonics: NDArray[np.float64]
    gear: float
    wobble: float
    motor: float
    brushes: float
    clicks: float = 0.0
    whine: float = 0.0
    whine_hz: float = 0.0


def healthy(rng: np.random.Generator) -> Machine:
    """Return a machine as they come from the factory: no two are the same."""
    return Machine(
        speed=rng.normal(42, 1.0),
        harmonics=0.08 * np.exp(-np.arange(8) / 3) * rng.uniform(0.8, 1.2, 8),
        gear=rng.uniform(0.03, 0.05),
        wobble=rng.uniform(0.05, 0.15),
        motor=rng.uniform(0.012, 0.02),
        brushes=rng.uniform(0.008, 0.012),
    )


def faulty(rng: np.random.Generator) -> Machine:
    """Return a machine with one fault of a severity that may be slight."""
    machine, severity = healthy(rng), rng.uniform(0.05, 0.6)
    fault = FAULTS[rng.integers(len(FAULTS))]
    return fault(machine, severity, rng)


def _bent_shaft(machine: Machine, severity: float, _: np.random.Generator) -> Machine:
    return replace(machine, wobble=machine.wobble + 0.8 * severity, gear=machine.gear * 1.3)


def _broken_tooth(machine: Machine, severity: float, _: np.random.Generator) -> Machine:
    return replace(machine, clicks=0.3 * severity)


def _dry_bearing(machine: Machine, severity: float, rng: np.random.Generator) -> Machine:
    return replace(machine, whine=0.02 * severity, whine_hz=rng.uniform(3000, 6500))


def _worn_brushes(machine: Machine, severity: float, _: np.random.Generator) -> Machine:
    return replace(machine, brushes=machine.brushes * (1 + 3 * severity))


def _low_voltage(machine: Machine, severity: float, _: np.random.Generator) -> Machine:
    return replace(machine, speed=machine.speed * (1 - 0.25 * severity))


FAULTS: tuple[Callable[[Machine, float, np.random.Generator], Machine], ...] = (
    _bent_shaft,
    _broken_tooth,
    _dry_bearing,
    _worn_brushes,
    _low_voltage,
)


def run_machine(machine: Machine, seconds: float, rng: np.random.Generator) -> Sound:
    """Return the sound (samples,) of the machine, recorded in a room with some noise."""
    time = np.arange(int(seconds * RATE)) / RATE
    drift = 0.01 * np.sin(2 * np.pi * (rng.uniform(0.2, 0.6) * time + rng.uniform()))
    jitter = np.cumsum(rng.normal(0, 2e-4, len(time)))
    turns = np.cumsum(machine.speed * (1 + drift)) / RATE + jitter * 0.05
    sound = np.zeros(len(time))
    for order, amplitude in enumerate(machine.harmonics, start=1):
        sound += amplitude * np.sin(2 * np.pi * (order * turns + rng.uniform()))
    loudness = 1 + machine.wobble * np.sin(2 * np.pi * turns)
    for order in (1, 2, 3):
        tone = np.sin(2 * np.pi * (order * TEETH * turns + rng.uniform()))
        sound += machine.gear / order * loudness * tone
    sound += machine.motor * np.sin(2 * np.pi * POLES * turns)
    sound += machine.whine * np.sin(2 * np.pi * machine.whine_hz * time)
    sound += machine.brushes * rng.normal(size=len(time)) * (1 + 0.3 * np.sin(4 * np.pi * turns))
    sound += machine.clicks * _knocks(turns)
    return (sound + 0.002 * rng.normal(size=len(time))).astype(np.float32)


def _knocks(turns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return one decaying oscillation of 2.4 kHz at the start of every turn."""
    ring = np.arange(400) / RATE
    knock = np.exp(-ring / 0.004) * np.sin(2 * np.pi * 2400 * ring)
    starts = np.diff(np.floor(turns), prepend=np.floor(turns[0])) > 0
    return np.convolve(starts, knock)[: len(turns)]
