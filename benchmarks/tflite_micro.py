"""What TensorFlow Lite Micro takes for the MLPerf Tiny networks, and how far we may be from it.

Measured on int8 models of the same architectures with CMSIS-NN v7.0.0-33, GCC 12.2 and QEMU's
instruction counter: the fewest instructions of -O2, -O3 and -Ofast; flash at -Os, code and model;
RAM as .data, .bss and the used arena without the stack. Flash and RAM are the M4's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

MOST_INSTRUCTIONS = 1.02
MOST_FLASH = {"anomaly_detection": 0.93}  # whose weights and biases alone are 0.90
MOST_FLASH_OF_ANY = 0.75
MOST_RAM = 1.0
MOST_ARENA = 1.05
# The packaged CMSIS-NN is the older one, whose MVE kernel of FULLY_CONNECTED is slower.
MOST_PACKAGED = {("anomaly_detection", "M55"): 1.25}


@dataclass(frozen=True)
class Others:
    """What TensorFlow Lite Micro takes for a network: instructions by core, bytes on the M4."""

    instructions: Mapping[str, int]
    flash: int
    ram: int


TFLITE_MICRO = {
    "keyword_spotting": Others(
        {"M0": 28_995_015, "M3": 10_532_496, "M4": 7_697_739, "M7": 7_643_514, "M55": 1_785_157},
        flash=99_824,
        ram=23_520,
    ),
    "image_classification": Others(
        {"M0": 97_549_437, "M3": 41_756_578, "M4": 29_861_331, "M7": 29_935_167, "M55": 4_809_289},
        flash=141_548,
        ram=55_696,
    ),
    "visual_wake_words": Others(
        {"M0": 86_877_131, "M3": 31_958_931, "M4": 24_101_548, "M7": 24_025_163, "M55": 6_433_176},
        flash=379_176,
        ram=101_408,
    ),
    "anomaly_detection": Others(
        {"M0": 1_763_274, "M3": 955_868, "M4": 582_256, "M7": 582_566, "M55": 149_920},
        flash=299_576,
        ram=2_996,
    ),
}


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What one of our builds takes; ``newer`` is the instructions with another CMSIS-NN."""

    model: str
    core: str
    instructions: int
    newer: int | None
    flash: int
    ram: int
    arena: int
    bound: int

    def of_instructions(self, ours: int | None) -> float | None:
        """As a part of TFLM's on that core. There is no figure of an M33; the M4's is next."""
        others = TFLITE_MICRO.get(self.model)
        if others is None or ours is None:
            return None
        return ours / others.instructions["M4" if self.core == "M33" else self.core]

    @property
    def of_flash(self) -> float | None:
        """As a part of TFLM's."""
        others = TFLITE_MICRO.get(self.model)
        return self.flash / others.flash if others and self.core == "M4" else None

    @property
    def of_ram(self) -> float | None:
        """As a part of TFLM's."""
        others = TFLITE_MICRO.get(self.model)
        return self.ram / others.ram if others and self.core == "M4" else None

    @property
    def of_bound(self) -> float:
        """The arena beside the most bytes that are needed at one time."""
        return self.arena / self.bound

    def missed(self) -> Iterator[str]:
        """A sentence for each figure that is above its limit."""
        for what, ratio, most in self._limits():
            if ratio is not None and ratio > most:
                yield f"{self.model} on {self.core}: {what} {ratio:.3f}, at most {most} is wanted"

    def _limits(self) -> Iterator[tuple[str, float | None, float]]:
        counts = [self.instructions] if self.newer is None else [self.instructions, self.newer]
        place = self.model, self.core
        most = MOST_PACKAGED.get(place) if self.newer is None else None
        ratio = self.of_instructions(min(counts))
        yield "instructions of TFLM's", ratio, most or MOST_INSTRUCTIONS
        flash = MOST_FLASH.get(self.model, MOST_FLASH_OF_ANY)
        yield "flash of TFLM's", self.of_flash, flash
        yield "RAM of TFLM's", self.of_ram, MOST_RAM
        yield "arena of its bound", self.of_bound, MOST_ARENA
