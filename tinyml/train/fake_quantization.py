"""Rounding to integers that gradients go straight through.

TensorFlow is imported at once: import this module inside functions only.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def fake_quantize(x: Any, scale: Any, zero_point: Any, limits: tuple[int, int]) -> Any:
    """Real numbers behind the integers nearest to ``x``, float32, in its shape.

    ``scale`` and ``zero_point`` broadcast to ``x``; integers are clamped to ``limits``. The
    gradient by ``x`` is the straight-through one: 1 inside the limits, 0 beyond (arXiv 1806.08342,
    equation 12). That by ``scale`` lets it find a balance between what is clipped and what is
    rounded away (arXiv 1903.08066, equation 6; 1902.08153, equation 3).
    """

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def rounded(x: Any, scale: Any) -> Any:
        steps = x / scale
        codes = tf.round(steps) + zero_point
        clamped = tf.clip_by_value(codes, *limits)
        offsets = clamped - zero_point

        def gradient(upstream: Any) -> tuple[Any, Any]:
            inside = tf.cast(codes == clamped, upstream.dtype) * upstream
            by_scale = _sum_to(upstream * offsets - inside * steps, scale)
            return inside, by_scale

        return offsets * scale, gradient

    return rounded(tf.convert_to_tensor(x), tf.convert_to_tensor(scale))


def _sum_to(values: Any, like: Any) -> Any:
    """Sum over the dimensions along which ``like`` was broadcast; their ranks agree or it is ()."""
    if not like.shape.rank:
        return tf.reduce_sum(values)
    axes = [axis for axis, size in enumerate(like.shape) if size == 1]
    return tf.reduce_sum(values, axis=axes, keepdims=True)


def straight_through(x: Any, rounded: Any) -> Any:
    """The value ``rounded`` with the gradient of ``x``."""
    return x + tf.stop_gradient(rounded - x)
