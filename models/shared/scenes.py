"""Drawn scenes of 96 x 96 pixels with and without a person: what stands in for COCO's photos.

What is no person is made of the same parts: trees, lamps, chairs, animals, houses and cars.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .drawing import (
    Field,
    Picture,
    box,
    ellipse,
    gradient,
    grid,
    limb,
    paint,
    photographed,
)

SIZE = 96
NOISE = 0.04

# A thing is drawn in units of its height: its feet are at y = 0, its top is at y = -1.
Point = tuple[float, float]
Colour = NDArray[np.float64]
Thing = Callable[["Canvas", np.random.Generator], None]


class Canvas:
    """A picture and coordinates on it in which one thing stands upright."""

    def __init__(self, picture: Picture, feet: tuple[float, float], height: float) -> None:
        """Put the origin at ``feet``, in pixels, and make ``height`` the unit."""
        x, y = grid(SIZE)
        self.x, self.y = (x - feet[0]) / height, (y - feet[1]) / height
        self._picture, self._height = picture, height

    def limb(self, ends: tuple[Point, Point], width: float, colour: Colour) -> None:
        """Draw a line with round ends."""
        self.shape(limb(self.x, self.y, *ends, width), colour)

    def oval(self, middle: Point, width: float, height: float, colour: Colour) -> None:
        """Draw an upright ellipse."""
        self.shape(ellipse(self.x - middle[0], self.y - middle[1], width, height), colour)

    def box(self, middle: Point, width: float, height: float, colour: Colour) -> None:
        """Draw an upright rectangle."""
        self.shape(box(self.x - middle[0], self.y - middle[1], width, height), colour)

    def shape(self, distance: Field, colour: Colour) -> None:
        """Draw what is inside."""
        paint(self._picture, distance * self._height, colour)


def draw(rng: np.random.Generator, *, person: bool) -> Picture:
    """Return (96, 96, 3) in [0, 1]: one or two things on some ground, and perhaps a person."""
    picture = gradient(SIZE, rng)
    horizon = rng.uniform(45, 75)
    paint(picture, horizon - grid(SIZE)[1], rng.uniform(0, 1, 3))
    things = [OTHERS[i] for i in rng.integers(len(OTHERS), size=rng.integers(1, 3))]
    for thing in [*things, _person] if person else things:
        feet = rng.uniform(15, 80), rng.uniform(72, 92)
        thing(Canvas(picture, feet, rng.uniform(50, 85)), rng)
    return photographed(picture, rng, noise=NOISE)


def _person(canvas: Canvas, rng: np.random.Generator) -> None:
    """Draw a standing or walking figure: legs, trunk, arms, neck, head and hair."""
    shirt, trousers, hair = rng.uniform(0, 1, (3, 3))
    skin = np.array([0.95, 0.75, 0.6]) * rng.uniform(0.35, 1)
    lean, stride = rng.uniform(-0.08, 0.08), rng.uniform(0.03, 0.18)
    hips, neck, head = (0.0, -0.48), (lean, -0.8), (lean * 1.2, -0.91)
    for side in (-1, 1):
        canvas.limb((hips, (side * stride, -0.03)), 0.09, trousers)
    canvas.limb(((0.0, -0.52), (lean, -0.74)), rng.uniform(0.17, 0.24), shirt)
    for side in (-1, 1):
        shoulder = lean + side * 0.09, -0.77
        reach = rng.uniform(-0.6, 1.2)  # radians from hanging straight down
        elbow = shoulder[0] + side * 0.18 * np.sin(reach), shoulder[1] + 0.18 * np.cos(reach)
        bend = reach + rng.uniform(-0.3, 0.9)
        hand = elbow[0] + side * 0.17 * np.sin(bend), elbow[1] + 0.17 * np.cos(bend)
        canvas.limb((shoulder, elbow), 0.07, shirt)
        canvas.limb((elbow, hand), 0.055, skin)
    canvas.limb((neck, head), 0.06, skin)
    canvas.oval((head[0], head[1] - 0.02), 0.15, 0.17, hair)
    canvas.oval(head, 0.13, 0.16, skin)


def _tree(canvas: Canvas, rng: np.random.Generator) -> None:
    canvas.limb(((0.0, 0.0), (0.0, -0.6)), rng.uniform(0.05, 0.12), rng.uniform(0, 0.6, 3))
    width = rng.uniform(0.3, 0.7)
    canvas.oval((0.0, -0.7), width, 0.6, rng.uniform(0, 1, 3) * [0.6, 1, 0.5])


def _lamp(canvas: Canvas, rng: np.random.Generator) -> None:
    pole, light = rng.uniform(0, 1, (2, 3))
    canvas.limb(((0.0, 0.0), (0.0, -0.95)), rng.uniform(0.03, 0.06), pole)
    canvas.oval((0.0, -0.92), rng.uniform(0.1, 0.2), rng.uniform(0.1, 0.16), light)


def _house(canvas: Canvas, rng: np.random.Generator) -> None:
    wall, roof, door = rng.uniform(0, 1, (3, 3))
    width = rng.uniform(0.6, 1.2)
    canvas.box((0.0, -0.32), width, 0.64, wall)
    slope = np.abs(canvas.x) * 0.7 / width - (canvas.y + 1)
    canvas.shape(np.maximum(slope, canvas.y + 0.62), roof)
    canvas.box((rng.uniform(-0.2, 0.2), -0.15), 0.14, 0.3, door)


def _car(canvas: Canvas, rng: np.random.Generator) -> None:
    body, window, tyre = rng.uniform(0, 1, 3), rng.uniform(0.3, 1, 3), rng.uniform(0, 0.3, 3)
    canvas.box((0.0, -0.2), 1.0, 0.22, body)
    canvas.box((rng.uniform(-0.1, 0.1), -0.38), 0.55, 0.2, window)
    for middle in (-0.3, 0.3):
        canvas.oval((middle, -0.09), 0.2, 0.2, tyre)


def _animal(canvas: Canvas, rng: np.random.Generator) -> None:
    fur, side = rng.uniform(0, 1, 3), rng.choice([-1, 1])
    for middle in (-0.25, -0.15, 0.15, 0.25):
        canvas.limb(((middle, -0.3), (middle + rng.uniform(-0.06, 0.06), -0.03)), 0.06, fur)
    canvas.limb(((-0.22, -0.38), (0.22, -0.38)), 0.2, fur)
    canvas.limb(((side * 0.25, -0.4), (side * 0.38, -0.55)), 0.1, fur)
    canvas.oval((side * 0.42, -0.58), 0.2, 0.14, fur)


def _chair(canvas: Canvas, rng: np.random.Generator) -> None:
    wood, side = rng.uniform(0, 1, 3), rng.choice([-1, 1])
    for middle in (-0.2, 0.2):
        canvas.limb(((middle, 0.0), (middle, -0.45)), 0.05, wood)
    canvas.limb(((side * 0.2, -0.4), (side * 0.22, -0.95)), 0.07, wood)
    canvas.box((0.0, -0.45), 0.46, 0.08, wood)


OTHERS: tuple[Thing, ...] = (_tree, _lamp, _house, _car, _animal, _chair)
