"""Pairs of quantization parameters for operators that move values from one scale to another."""

from collections.abc import Iterator

import numpy as np
from single_operator import Draw, symmetric

from tinyml.ir.graph import QuantParams
from tinyml.numerics.fixed_point import quantize_multiplier, requantize

# Both scales: equal, powers of two, outputs finer and coarser, ratios near 1, extreme ones.
SCALES = (
    (0.1, 0.1),
    (0.5, 0.25),
    (0.25, 0.5),
    (0.05, 0.047),
    (0.0471, 0.0472),
    (1.0, 0.01),
    (0.01, 1.0),
    (5.0, 1e-4),
    (1e-4, 5.0),
    (1e-7, 20.0),
)
ZERO_POINTS = ((-128, -128), (127, 127), (-128, 127), (127, -128), (0, 0))

RANDOM_PAIRS = 16
PAIRS_NEAR_HALVES = 8


def rescalings(draw: Draw) -> Iterator[tuple[QuantParams, QuantParams]]:
    """Corners, then seeded ones."""
    for source, output in SCALES:
        yield (
            QuantParams.per_tensor(source, draw.zero_point()),
            QuantParams.per_tensor(output, draw.zero_point()),
        )
    for source_zero_point, output_zero_point in ZERO_POINTS:
        yield (
            QuantParams.per_tensor(0.05, source_zero_point),
            QuantParams.per_tensor(0.03, output_zero_point),
        )
    for _ in range(RANDOM_PAIRS):
        yield draw.quant(0.005, 0.2), draw.quant(0.005, 0.2)
    for _ in range(PAIRS_NEAR_HALVES):
        yield _near_halves(draw)


def wide_rescalings(draw: Draw) -> Iterator[tuple[QuantParams, QuantParams]]:
    """The same for int16, whose zero points are 0; ratios beyond 2^15 do not fit 32 bits."""
    for source, output in rescalings(draw):
        if source.scale[0] / output.scale[0] < 2**15:
            yield symmetric(source), symmetric(output)


def _near_halves(draw: Draw) -> tuple[QuantParams, QuantParams]:
    """Scales that put some input next to a half, on whose side their ratio's precision decides."""
    while True:
        source = np.float32(draw.scale(0.005, 0.2))
        half = (draw.integer(0, 119) + 0.5) / draw.integer(1, 255)
        output = np.float32(float(source) / half)
        multipliers = {
            quantize_multiplier(real)
            for real in (float(source) / float(output), float(source / output))
        }
        tables = {tuple(requantize(np.arange(-255, 256), *pair).tolist()) for pair in multipliers}
        if len(tables) == 2:
            zero_points = draw.zero_point(), draw.zero_point()
            return (
                QuantParams.per_tensor(float(source), zero_points[0]),
                QuantParams.per_tensor(float(output), zero_points[1]),
            )
