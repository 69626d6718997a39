"""Layers that take several inputs of one shape, or of shapes that broadcast."""

from keras_layers.setting import IMAGE, ROW, STEPS, Setting, Source, merging

GATES = Source((1, 1, 4))


def _elementwise(layer: str) -> tuple[Setting, ...]:
    return (
        merging(layer, ROW, ROW),
        merging(layer, IMAGE, IMAGE),
        merging(layer, IMAGE, GATES),
    )


SETTINGS: tuple[Setting, ...] = (
    *_elementwise("Add"),
    merging("Add", ROW, ROW, ROW),
    *_elementwise("Subtract"),
    *_elementwise("Multiply"),
    *_elementwise("Average"),
    merging("Average", ROW, ROW, ROW),
    *_elementwise("Maximum"),
    *_elementwise("Minimum"),
    merging("Concatenate", ROW, ROW),
    merging("Concatenate", IMAGE, IMAGE, axis=1),
    merging("Concatenate", STEPS, STEPS, STEPS, axis=-1),
    merging("Dot", ROW, ROW, axes=1),
    merging("Dot", STEPS, STEPS, axes=(2, 2)),
    merging("Dot", STEPS, STEPS, axes=(1, 1), normalize=True),
)
