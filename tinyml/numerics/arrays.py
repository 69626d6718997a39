"""What operators compute with: functions of arrays under the names and signatures of keras.ops.

``keras.ops`` itself is one such library; this module is the one for numpy, and what look-up tables
are made of. So its functions take the steps of TFLite's float kernels: those of libraries are
computed in double and rounded to float32 once, which a library's own come close to. Where there is
no finite number, a result is infinite or NaN, without a warning.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol

import numpy as np

from tinyml.ir.graph import Array
from tinyml.numerics import windows

Function = Callable[..., Any]

ROOT_OF_HALF = math.sqrt(0.5)
# sqrt(2/pi) * (x + 0.044715 * x**3)  (arXiv 1606.08415, section 2)
TANH_FACTOR = math.sqrt(2 / math.pi)
TANH_CUBE = 0.044715 * TANH_FACTOR


class ArrayLibrary(Protocol):
    """The functions operators may use: this module's, or those of ``keras.ops``."""

    # Element by element.
    absolute: Function
    cast: Function
    ceil: Function
    clip: Function
    cos: Function
    exp: Function
    floor: Function
    gelu: Function
    log: Function
    logical_not: Function
    negative: Function
    round: Function
    rsqrt: Function
    sigmoid: Function
    sign: Function
    sin: Function
    sqrt: Function
    tanh: Function
    where: Function

    # Of two arrays that broadcast.
    add: Function
    divide: Function
    equal: Function
    greater: Function
    greater_equal: Function
    less: Function
    less_equal: Function
    logical_and: Function
    logical_or: Function
    maximum: Function
    minimum: Function
    multiply: Function
    not_equal: Function
    power: Function
    subtract: Function

    # Along dimensions.
    amax: Function
    amin: Function
    argmax: Function
    argmin: Function
    log_softmax: Function
    matmul: Function
    mean: Function
    softmax: Function
    sum: Function

    # Elements at other places.
    concatenate: Function
    convert_to_tensor: Function
    expand_dims: Function
    ones_like: Function
    pad: Function
    reshape: Function
    take: Function
    take_along_axis: Function
    transpose: Function

    # Windows over images, channels last.
    average_pool: Function
    conv: Function
    conv_transpose: Function
    depthwise_conv: Function
    max_pool: Function


# numpy's own.
absolute: Function = np.absolute
add: Function = np.add
amax: Function = np.amax
amin: Function = np.amin
argmax: Function = np.argmax
argmin: Function = np.argmin
ceil: Function = np.ceil
clip: Function = np.clip
concatenate: Function = np.concatenate
convert_to_tensor: Function = np.asarray
equal: Function = np.equal
expand_dims: Function = np.expand_dims
floor: Function = np.floor
greater: Function = np.greater
greater_equal: Function = np.greater_equal
less: Function = np.less
less_equal: Function = np.less_equal
logical_and: Function = np.logical_and
logical_not: Function = np.logical_not
logical_or: Function = np.logical_or
matmul: Function = np.matmul
maximum: Function = np.maximum
mean: Function = np.mean
minimum: Function = np.minimum
multiply: Function = np.multiply
negative: Function = np.negative
not_equal: Function = np.not_equal
ones_like: Function = np.ones_like
reshape: Function = np.reshape
round: Function = np.rint
sign: Function = np.sign
subtract: Function = np.subtract
sum: Function = np.sum
take: Function = np.take
take_along_axis: Function = np.take_along_axis
transpose: Function = np.transpose
where: Function = np.where


def quiet(function: Function) -> Function:
    """Let results be infinite or NaN without a warning."""

    @wraps(function)
    def silent(*operands: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.asarray(function(*operands))

    return silent


def in_double(function: Function) -> Function:
    """Compute in double and round once."""

    @quiet
    def rounded(*operands: Array) -> Array:
        wide = (np.asarray(operand, np.float64) for operand in operands)
        return np.asarray(function(*wide)).astype(np.float32)

    return rounded


# Windows over images.
average_pool: Function = windows.average_pool
conv: Function = windows.conv
conv_transpose: Function = windows.conv_transpose
depthwise_conv: Function = windows.depthwise_conv
max_pool: Function = windows.max_pool

# numpy's own, in double or without warnings.
cos: Function = in_double(np.cos)
divide: Function = quiet(np.divide)
exp: Function = in_double(np.exp)
log: Function = in_double(np.log)
power: Function = in_double(np.power)
sin: Function = in_double(np.sin)
sqrt: Function = quiet(np.sqrt)
tanh: Function = in_double(np.tanh)

_erf = in_double(np.vectorize(math.erf, otypes=[np.float64]))


@quiet
def rsqrt(x: Array) -> Array:
    """``1 / sqrt(x)``, each step rounded."""
    return np.asarray(np.float32(1) / np.sqrt(x))


@quiet
def sigmoid(x: Array) -> Array:
    """``1 / (1 + exp(-x))``, each step rounded."""
    return np.asarray(np.float32(1) / (np.float32(1) + exp(-x)))


def gelu(x: Array, approximate: bool = True) -> Array:  # noqa: FBT001, FBT002  # keras.ops' own
    """Exact with one rounding per step, the approximation with one in all."""
    if approximate:
        return np.asarray(_gelu_by_tanh(x))
    error = _erf(x * np.float32(ROOT_OF_HALF))
    return np.asarray(np.float32(0.5) * x * (np.float32(1) + error))


@in_double
def _gelu_by_tanh(x: Array) -> Array:
    return np.asarray(0.5 * x * (1 + np.tanh(TANH_FACTOR * x + TANH_CUBE * x**3)))


def softmax(x: Array, axis: int = -1) -> Array:
    """``exp(x) / sum(exp(x))`` along a dimension."""
    exponentials = np.exp(x - x.max(axis, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis, keepdims=True))


def log_softmax(x: Array, axis: int = -1) -> Array:
    """``x - log(sum(exp(x)))`` along a dimension."""
    shifted = x - x.max(axis, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis, keepdims=True)))


def cast(x: Array, dtype: str) -> Array:
    """Elements as another type."""
    return np.asarray(x).astype(dtype)


def pad(x: Array, pad_width: Any, mode: str = "constant", constant_values: Any = 0) -> Array:
    """``pad_width[d]`` elements before and after those of dimension d."""
    del mode
    return np.pad(x, pad_width, constant_values=constant_values)
