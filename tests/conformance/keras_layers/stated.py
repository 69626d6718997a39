"""Errors against Keras that are larger than 30 dB, each with its reason."""

from collections.abc import Mapping

from keras_layers.networks import SEQUENTIAL

LEAST_DECIBELS = 30.0
# The errors of several layers add up, and random weights let some layers' values be small.
NETWORK_DECIBELS = 20.0

# A setting's name to the decibels it has at least, and why no more.
STATED: Mapping[str, tuple[float, str]] = {}


def least_decibels(name: str) -> float:
    """What a setting must have."""
    usual = NETWORK_DECIBELS if name.startswith(f"{SEQUENTIAL}:") else LEAST_DECIBELS
    return STATED[name][0] if name in STATED else usual


def reason(name: str) -> str:
    """Why a setting has less than the others; empty where it must not."""
    return STATED[name][1] if name in STATED else ""
