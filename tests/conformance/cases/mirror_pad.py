from collections.abc import Iterator
from dataclasses import dataclass

from draw.moved import moved, with_int16
from single_operator import OUTPUT, SOURCE, Draw

from tinyml.ir.graph import Graph, Shape
from tinyml.ops.mirror_pad import MirrorMode, MirrorPad


@dataclass(frozen=True, kw_only=True)
class Parameters:
    shape: Shape
    paddings: tuple[tuple[int, int], ...]
    mode: MirrorMode


IMAGE = (1, 4, 5, 3)

CORNERS = tuple(
    Parameters(shape=shape, paddings=paddings, mode=mode)
    for mode in MirrorMode
    for shape, paddings in (
        ((6,), ((0, 0),)),
        ((6,), ((5, 5),)),
        ((2, 3), ((1, 0), (0, 2))),
        ((2, 3, 4), ((0, 1), (1, 2), (3, 0))),
        (IMAGE, ((0, 0), (1, 1), (1, 1), (0, 0))),
        (IMAGE, ((0, 0), (3, 2), (0, 4), (0, 0))),
        (IMAGE, ((0, 0), (0, 0), (0, 0), (2, 1))),
        ((2, 3, 2, 3), ((1, 1), (2, 1), (1, 0), (2, 2))),
    )
)

RANDOM_CASES = 24


@with_int16
def cases() -> Iterator[tuple[Parameters, Graph]]:
    draw = Draw("mirror_pad")
    for p in (*CORNERS, *(_drawn(draw) for _ in range(RANDOM_CASES))):
        op = MirrorPad(
            name="mirror_pad",
            inputs=(SOURCE,),
            outputs=(OUTPUT,),
            paddings=p.paddings,
            mode=p.mode,
        )
        yield p, moved(draw, op, p.shape)


def _drawn(draw: Draw) -> Parameters:
    shape = draw.shape(draw.integer(1, 4), 6)
    mode = draw.one_of(*MirrorMode)
    widest = [size - 1 if mode is MirrorMode.REFLECT else size for size in shape]
    paddings = tuple((draw.integer(0, most), draw.integer(0, most)) for most in widest)
    return Parameters(shape=shape, paddings=paddings, mode=mode)
