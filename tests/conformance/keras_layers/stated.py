"""What a setting may fall short of, each with its reason."""

from collections.abc import Mapping

from keras_layers.networks import SEQUENTIAL

LEAST_DECIBELS = 30.0
# The errors of several layers add up, and random weights let some layers' values be small.
NETWORK_DECIBELS = 20.0

SPELLED = "several operators spell it out, and each rounds"
FEW = "few values lie close together now and then, and the inverse root of their variance is large"
SHARED = "means of many values are small beside the scale that they share with them"
PROBABILITIES = "64 probabilities have steps of 1/256"

# A setting's name to the decibels it has at least, and why no more. Where there are none, bytes
# may differ too.
STATED: Mapping[str, tuple[float, str]] = {
    "LayerNormalization: epsilon=1e-06; on 6x5": (24, FEW),
    "LayerNormalization: center=False, scale=False; on 8x8x4": (25, FEW),
    "AdaptiveAveragePooling2D: output_size=2; on 8x8x4": (27, SHARED),
    "AdaptiveAveragePooling2D: output_size=3; on 8x8x4": (29, SHARED),
    "Bidirectional: layer=LSTM(units=3), merge_mode='mul'; on 6x5": (
        24,
        "both factors are small, and have errors of their own",
    ),
    "Activation: activation='softmax'; on 64 in [-4, 4]": (29, PROBABILITIES),
    "Activation: activation='softmax'; on 64 in [-30, 30]": (26, PROBABILITIES),
    "ReLU: negative_slope=0.1, threshold=0.5, max_value=2.0; on 12": (25, SPELLED),
    "STFTSpectrogram: frame_length=64, frame_step=32, fft_length=64; on 256x1": (
        -4,
        "the power of a spectrum, whose logarithm is taken, spans more than eight bits hold",
    ),
}


def least_decibels(name: str) -> float:
    """What a setting must have."""
    usual = NETWORK_DECIBELS if name.startswith(f"{SEQUENTIAL}:") else LEAST_DECIBELS
    return STATED[name][0] if name in STATED else usual


def reason(name: str) -> str:
    """Why a setting has less than the others; empty where it must not."""
    return STATED[name][1] if name in STATED else ""
