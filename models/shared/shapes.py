"""Ten classes of drawn shapes and textures of 32 x 32 pixels: what stands in for CIFAR-10."""

from collections.abc import Callable

import numpy as np

from .drawing import Field, Picture, box, ellipse, gradient, grid, paint, photographed, turned

SIZE = 32
NOISE = 0.06


def draw(shape: int, rng: np.random.Generator) -> Picture:
    """Return (32, 32, 3) in [0, 1] with a shape of this class somewhere, of some size and turn."""
    picture = gradient(SIZE, rng)
    x, y = grid(SIZE)
    x, y = x - rng.uniform(12, 20), y - rng.uniform(12, 20)
    x, y = turned(x, y, rng.uniform(0, 2 * np.pi))
    colour = rng.uniform(0, 1, 3)
    while np.abs(colour - picture.mean(axis=(0, 1))).max() < 0.25:  # a shape that can be seen
        colour = rng.uniform(0, 1, 3)
    paint(picture, SHAPES[shape](x, y, rng.uniform(12, 22)), colour)
    return photographed(picture, rng, noise=NOISE)


def _disc(x: Field, y: Field, size: float) -> Field:
    return ellipse(x, y, size, size)


def _ring(x: Field, y: Field, size: float) -> Field:
    return np.abs(ellipse(x, y, size, size)) - size / 12


def _oval(x: Field, y: Field, size: float) -> Field:
    return ellipse(x, y, size * 1.2, size / 2.2)


def _square(x: Field, y: Field, size: float) -> Field:
    return box(x, y, size * 0.85, size * 0.85)


def _bar(x: Field, y: Field, size: float) -> Field:
    return box(x, y, size * 1.3, size / 3)


def _cross(x: Field, y: Field, size: float) -> Field:
    return np.minimum(box(x, y, size * 1.1, size / 3.5), box(x, y, size / 3.5, size * 1.1))


def _triangle(x: Field, y: Field, size: float) -> Field:
    sides = [turned(x, y, turn)[0] - size / 3.5 for turn in np.arange(3) * 2 * np.pi / 3]
    return np.maximum.reduce(sides)


def _star(x: Field, y: Field, size: float) -> Field:
    points = np.cos(5 * np.arctan2(y, x))
    return np.hypot(x, y) - size * (0.42 + 0.2 * points)


def _stripes(x: Field, _: Field, size: float) -> Field:
    return np.sin(2 * np.pi * x / (size / 2.5)) * 2


def _checkers(x: Field, y: Field, size: float) -> Field:
    return np.sin(2 * np.pi * x / (size / 2)) * np.sin(2 * np.pi * y / (size / 2)) * 4


SHAPES: tuple[Callable[[Field, Field, float], Field], ...] = (
    _disc,
    _ring,
    _oval,
    _square,
    _bar,
    _cross,
    _triangle,
    _star,
    _stripes,
    _checkers,
)
