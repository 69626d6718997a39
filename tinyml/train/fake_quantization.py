"""Rounding to integers that gradients go straight through.

TensorFlow is imported at once: import this module inside functions only.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

# Moves a tie away from zero, and nothing else: what is rounded has at most 31 binary places.
TIES_AWAY = 1 + 2.0**-40
# The same for float32: its last bits, of steps of up to 255, may have carried a tie to either side.
NEARLY = 2.0**-14
HALF = 0.5


def fake_quantize(
    x: Any,
    scale: Any,
    zero_point: Any,
    limits: tuple[int, int],
    unit: Any = None,
    middle: Any = None,
) -> Any:
    """Real numbers behind the integers nearest to ``x``, float32, in its shape.

    ``scale`` and ``zero_point`` broadcast to ``x``; integers are clamped to ``limits``. ``unit`` is
    the real number that one step of the sums behind ``x`` stands for, float64, where the device
    rescales sums: it rounds twice then (``tinyml.numerics.fixed_point``), and so does this. Else
    halves are rounded away from ``middle``, in steps of ``scale``, and so is what lies so near that
    float32 may have missed one; without a ``middle`` ``x`` is taken as it is.

    The gradient by ``x`` is the straight-through one: 1 inside the limits, 0 beyond (arXiv
    1806.08342, equation 12). That by ``scale`` lets it find a balance between what is clipped and
    what is rounded away (arXiv 1903.08066, equation 6; 1902.08153, equation 3).
    """

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def rounded(x: Any, scale: Any) -> Any:
        steps = x / scale
        nearest = _nearest(steps, middle) if unit is None else requantized(x, unit, scale)
        codes = nearest + zero_point
        clamped = tf.clip_by_value(codes, *limits)
        offsets = clamped - zero_point

        def gradient(upstream: Any) -> tuple[Any, Any]:
            inside = tf.cast(codes == clamped, upstream.dtype) * upstream
            by_scale = _sum_to(upstream * offsets - inside * steps, scale)
            return inside, by_scale

        return offsets * scale, gradient

    return rounded(tf.convert_to_tensor(x), tf.convert_to_tensor(scale))


def _nearest(steps: Any, middle: Any) -> Any:
    """Whole numbers, float32."""
    if middle is not None:
        away = steps - middle
        return tf.round(away + tf.sign(away) * NEARLY) + middle
    even = tf.round(steps)
    return tf.where(tf.abs(steps - even) == HALF, steps + tf.sign(steps) * HALF, even)


def requantized(x: Any, unit: Any, scale: Any) -> Any:
    """Sums of ``unit`` brought to steps of ``scale`` as the device does it, float32.

    The steps are those of ``tinyml.numerics.fixed_point.requantize``; doubles hold all numbers but
    the product, whose last bits are lost and never matter but within 2^-20 of a tie.
    """
    sums = tf.cast(tf.round(x / tf.cast(unit, tf.float32)), tf.float64)
    multiplier, left, right = _multiplier(unit / tf.cast(scale, tf.float64))
    once = tf.floor(sums * (left * multiplier) + 0.5)
    return tf.cast(tf.round(once * (right * TIES_AWAY)), tf.float32)


def _multiplier(real: Any) -> tuple[Any, Any, Any]:
    """Split as ``quantize_multiplier`` does: a multiplier of 31 bits and powers of two, float64."""
    shift = tf.floor(tf.math.log(real) / tf.math.log(tf.constant(2.0, tf.float64))) + 1
    mantissa = real * 2.0**-shift
    # The logarithm is off by one where it lies beside a whole number.
    shift += tf.cast(mantissa >= 1, tf.float64) - tf.cast(mantissa < 0.5, tf.float64)
    multiplier = tf.floor(real * 2.0 ** (31 - shift) + 0.5) * 2.0**-31
    return multiplier, 2.0 ** tf.maximum(shift, 0), 2.0 ** tf.minimum(shift, 0)


def _sum_to(values: Any, like: Any) -> Any:
    """Sum over the dimensions along which ``like`` was broadcast; their ranks agree or it is ()."""
    if not like.shape.rank:
        return tf.reduce_sum(values)
    axes = [axis for axis, size in enumerate(like.shape) if size == 1]
    return tf.reduce_sum(values, axis=axes, keepdims=True)


def straight_through(x: Any, rounded: Any) -> Any:
    """The value ``rounded`` with the gradient of ``x``."""
    return x + tf.stop_gradient(rounded - x)
