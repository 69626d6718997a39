"""Whose answer counts for an operator on this computer (docs/numerics.md, "Oracles")."""

from __future__ import annotations

import enum


class Oracle(enum.Enum):
    """Kernels of a TFLite runtime."""

    TFLITE_RUNTIME = "the reference kernels of tflite-runtime 2.14"
    TFLITE_RUNTIME_OPTIMIZED = "the optimized kernels of tflite-runtime 2.14"
    TFLITE_MICRO = "the reference kernels of TensorFlow Lite Micro"
    LITERT = "the reference kernels of LiteRT"
    LITERT_OPTIMIZED = "the optimized kernels of LiteRT"


# Reference kernels, the first choice first.
EVERY_REFERENCE = (Oracle.TFLITE_RUNTIME, Oracle.TFLITE_MICRO, Oracle.LITERT)
# For operators, or variants of them, that TFLite Micro lacks or computes otherwise.
ALL_BUT_MICRO = (Oracle.TFLITE_RUNTIME, Oracle.LITERT)
# For those that tflite-runtime 2.14 lacks or has wrong.
ALL_BUT_TFLITE_RUNTIME = (Oracle.TFLITE_MICRO, Oracle.LITERT)
# All kernels of it.
OF_TFLITE_RUNTIME = {Oracle.TFLITE_RUNTIME, Oracle.TFLITE_RUNTIME_OPTIMIZED}
