"""What is tried: a layer's name in ``keras.layers``, its arguments, and the inputs it is given."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Source:
    """An input of a network, without its batch.

    Floats are drawn from a normal distribution, or evenly between ``limits`` where there are any;
    integers evenly from ``limits``, both included.
    """

    shape: Shape
    dtype: str = "float32"
    limits: tuple[float, float] | None = None

    def __str__(self) -> str:
        kind = "" if self.dtype == "float32" else f" {self.dtype}"
        between = "" if self.limits is None else " in [{:g}, {:g}]".format(*self.limits)
        return "x".join(map(str, self.shape)) + kind + between


ROW = Source((12,))
STEPS = Source((6, 5))
IMAGE = Source((8, 8, 4))
VOLUME = Source((4, 6, 4, 3))
PIXELS = Source((8, 8, 3), limits=(0, 255))
IDS = Source((6,), "int32", (0, 9))


@dataclass(frozen=True)
class Layer:
    """A layer given as an argument of another: a wrapper's layer, or a cell."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"{self.name}({shown(self.arguments)})"


@dataclass(frozen=True)
class Setting:
    """One network of one layer.

    ``call`` holds arguments of the call. With ``listed`` the inputs are given as one list, else
    one after another.
    """

    layer: str
    arguments: Mapping[str, Any]
    sources: tuple[Source, ...]
    call: Mapping[str, Any] = field(default_factory=dict)
    listed: bool = False

    @property
    def text(self) -> str:
        """The settings as the page shows them."""
        sizes = " and ".join(map(str, self.sources))
        given = ", ".join(filter(None, [shown(self.arguments), shown(self.call)]))
        return f"{given or 'defaults'}; on {sizes}"

    @property
    def name(self) -> str:
        """What tells it from all others."""
        return f"{self.layer}: {self.text}"

    @property
    def stem(self) -> str:
        """What the names of its files begin with."""
        return f"{zlib.crc32(self.name.encode()):08x}"


def shown(arguments: Mapping[str, Any]) -> str:
    """Arguments as Python writes them."""
    return ", ".join(f"{name}={value!r}" for name, value in arguments.items())


def inner(name: str, /, **arguments: Any) -> Layer:
    return Layer(name, arguments)


def on(layer: str, /, *sources: Source, **arguments: Any) -> Setting:
    """A layer called with its inputs one after another."""
    return Setting(layer, arguments, sources)


def merging(layer: str, /, *sources: Source, **arguments: Any) -> Setting:
    """A layer called with the list of its inputs."""
    return Setting(layer, arguments, sources, listed=True)
