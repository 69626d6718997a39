"""Errors against Keras that are larger than 30 dB, each with its reason."""

from collections.abc import Mapping

LEAST_DECIBELS = 30.0

# A setting's name to the decibels it has at least, and why no more.
STATED: Mapping[str, tuple[float, str]] = {}


def least_decibels(name: str) -> float:
    """What a setting must have."""
    return STATED[name][0] if name in STATED else LEAST_DECIBELS


def reason(name: str) -> str:
    """Why a setting has less than the others; empty where it must not."""
    return STATED[name][1] if name in STATED else ""
