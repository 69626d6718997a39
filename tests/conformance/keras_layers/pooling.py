"""Pooling."""

from keras_layers.setting import IMAGE, STEPS, VOLUME, Setting, on

SOURCES = {1: STEPS, 2: IMAGE, 3: VOLUME}


def _pools(kind: str, rank: int) -> tuple[Setting, ...]:
    layer, source = f"{kind}Pooling{rank}D", SOURCES[rank]
    return (
        on(layer, source, pool_size=2),
        on(layer, source, pool_size=3, strides=1, padding="same"),
        on(layer, source, pool_size=3, strides=2),
    )


def _global_pools(kind: str, rank: int) -> tuple[Setting, ...]:
    layer, source = f"Global{kind}Pooling{rank}D", SOURCES[rank]
    return on(layer, source), on(layer, source, keepdims=True)


def _adaptive_pools(kind: str, rank: int) -> tuple[Setting, ...]:
    layer, source = f"Adaptive{kind}Pooling{rank}D", SOURCES[rank]
    return on(layer, source, output_size=2), on(layer, source, output_size=3)


SETTINGS: tuple[Setting, ...] = tuple(
    setting
    for make in (_pools, _global_pools, _adaptive_pools)
    for kind in ("Average", "Max")
    for rank in SOURCES
    for setting in make(kind, rank)
)
