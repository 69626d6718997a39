"""All settings by family, and the classes of ``keras.layers`` that have none, with the reason."""

from collections.abc import Mapping

from keras_layers import (
    activations,
    attention,
    convolution,
    core,
    merge,
    networks,
    normalization,
    pooling,
    preprocessing,
    recurrent,
    reshaping,
)
from keras_layers.setting import Layer, Setting

FAMILIES: Mapping[str, tuple[Setting, ...]] = {
    "Core": core.SETTINGS,
    "Convolution": convolution.SETTINGS,
    "Pooling": pooling.SETTINGS,
    "Recurrent": recurrent.SETTINGS,
    "Normalization": normalization.SETTINGS,
    "Attention": attention.SETTINGS,
    "Reshaping": reshaping.SETTINGS,
    "Merging": merge.SETTINGS,
    "Activations": activations.SETTINGS,
    "Preprocessing": preprocessing.SETTINGS,
    "Random networks": networks.SETTINGS,
}

TRAINING = "changes training data at random, or only where it is trained"
ABSTRACT = "is what other layers are made from"
FOREIGN = "calls code that no model file holds"

EXCLUDED: Mapping[str, str] = {
    **dict.fromkeys(("Layer", "Wrapper", "InputLayer"), ABSTRACT),
    **dict.fromkeys(
        ("Lambda", "FlaxLayer", "JaxLayer", "TFSMLayer", "TorchModuleWrapper"), FOREIGN
    ),
    **dict.fromkeys(
        (
            *("AugMix", "AutoContrast", "CutMix", "Equalization", "MixUp", "RandAugment"),
            *("ContrastLimitedAdaptiveHistogramEqualization", "MaxNumBoundingBoxes"),
            *("RandomBrightness", "RandomColorDegeneration", "RandomColorJitter"),
            *("RandomContrast", "RandomCrop", "RandomElasticTransform", "RandomErasing"),
            *("RandomFlip", "RandomGaussianBlur", "RandomGrayscale", "RandomHue"),
            *("RandomInvert", "RandomPerspective", "RandomPosterization", "RandomRotation"),
            *("RandomSaturation", "RandomSharpness", "RandomShear", "RandomTranslation"),
            *("RandomZoom", "Solarization"),
        ),
        TRAINING,
    ),
}


def settings() -> tuple[Setting, ...]:
    """All of them, in the order of the page."""
    return tuple(setting for family in FAMILIES.values() for setting in family)


def tried_layers() -> set[str]:
    """Names of the layers that have a setting, those inside wrappers included."""
    names = {name for each in settings() for name in (each.layer, *_inner(each.arguments))}
    return names - {networks.SEQUENTIAL}


def _inner(arguments: Mapping[str, object]) -> set[str]:
    found: set[str] = set()
    for value in arguments.values():
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, Layer):
                found |= {part.name, *_inner(part.arguments)}
    return found
