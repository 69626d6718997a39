"""Pictures drawn from distances: a shape is negative inside, zero on its outline, in pixels."""

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.floating]
Picture = NDArray[np.floating]


def grid(size: int) -> tuple[Field, Field]:
    """Return the x and y of each pixel's middle, both (size, size)."""
    place = np.arange(size, dtype=np.float32) + np.float32(0.5)
    return np.meshgrid(place, place)


def turned(x: Field, y: Field, angle: float) -> tuple[Field, Field]:
    """Return coordinates along axes that are turned by ``angle``, in radians."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return cosine * x + sine * y, cosine * y - sine * x


def box(x: Field, y: Field, width: float, height: float) -> Field:
    """Return the distance to a rectangle around the origin."""
    return np.maximum(np.abs(x) - width / 2, np.abs(y) - height / 2)


def ellipse(x: Field, y: Field, width: float, height: float) -> Field:
    """Return roughly the distance to an ellipse around the origin."""
    return (np.hypot(2 * x / width, 2 * y / height) - 1) * min(width, height) / 2


def limb(
    x: Field, y: Field, start: tuple[float, float], end: tuple[float, float], width: float
) -> Field:
    """Return the distance to a line with round ends."""
    (x0, y0), (x1, y1) = start, end
    dx, dy = x1 - x0, y1 - y0
    along = ((x - x0) * dx + (y - y0) * dy) / (dx**2 + dy**2 + 1e-9)
    along = np.clip(along, 0, 1)
    return np.hypot(x - x0 - along * dx, y - y0 - along * dy) - width / 2


def paint(picture: Picture, distance: Field, colour: NDArray[np.float64]) -> None:
    """Fill a shape of ``picture`` (size, size, 3) with a colour, its outline a pixel soft."""
    cover = np.clip(0.5 - distance, 0, 1)[..., np.newaxis]
    picture += cover * (colour - picture)


def gradient(size: int, rng: np.random.Generator) -> Picture:
    """Return (size, size, 3) that goes from one colour to another in some direction."""
    x, _ = turned(*grid(size), rng.uniform(0, 2 * np.pi))
    along = (x - x.min()) / (x.max() - x.min())
    first, second = rng.uniform(0, 1, (2, 3))
    return first + along[..., np.newaxis] * (second - first)


def photographed(picture: Picture, rng: np.random.Generator, *, noise: float) -> Picture:
    """Return the picture brighter or darker and with noise, in 256 steps from 0 to 1."""
    lit = picture * rng.uniform(0.7, 1.2) + rng.normal(0, noise, picture.shape)
    return np.round(np.clip(lit, 0, 1) * 255) / 255
