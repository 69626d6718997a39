"""What operators say of dtypes: those of activations, of weights and biases beside them."""

from __future__ import annotations

from collections.abc import Mapping

from tinyml.ir.graph import DType

ACTIVATIONS = (DType.FLOAT32, DType.INT8, DType.INT16)

# Weights and biases beside each dtype of activations. int16 with int8 weights is called 16x8.
PARAMETERS: Mapping[DType, tuple[DType, DType]] = {
    DType.FLOAT32: (DType.FLOAT32, DType.FLOAT32),
    DType.INT8: (DType.INT8, DType.INT32),
    DType.INT16: (DType.INT8, DType.INT64),
}

# Versions of the many TFLite operators that int8 came to second and int16 third.
VERSIONS: Mapping[DType, int] = {DType.FLOAT32: 1, DType.INT8: 2, DType.INT16: 3}

# Names of the C functions an operator may call, by its dtype: the dtypes it takes.
Kernels = Mapping[DType, tuple[str, ...]]


def int8_kernels(*functions: str) -> Kernels:
    """Kernels for int8; float32 is taken too and needs none, since it is quantized before."""
    return {DType.FLOAT32: (), DType.INT8: functions}
