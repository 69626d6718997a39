import numpy as np
import pytest

from tinyml.numerics.fixed_point import quantize_multiplier, requantize

# One worker starts TensorFlow for all tests of quantization-aware training.
pytestmark = pytest.mark.xdist_group("qat")

LIMITS = (-128, 127)


def gradients(x, scale, zero_point=0.0, limits=LIMITS):
    """Gradients of the sum by ``x`` and by ``scale``."""
    import tensorflow as tf

    from tinyml.train.fake_quantization import fake_quantize

    x, scale = tf.constant(x, tf.float32), tf.constant(scale, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch([x, scale])
        total = tf.reduce_sum(fake_quantize(x, scale, zero_point, limits))
    return [np.array(gradient) for gradient in tape.gradient(total, [x, scale])]


def test_gradients_go_straight_through_inside_and_stop_beyond():
    by_x, _ = gradients([-70.0, -64.0, 0.3, 63.5, 64.2], 0.5)

    assert by_x.tolist() == [0, 1, 1, 1, 0]


def test_the_scales_gradient_is_that_of_learned_step_sizes():
    # arXiv 1902.08153, equation 3: round(x / s) - x / s inside, the limit beyond.
    x, scale = np.array([-70.0, 0.3, 1.1, 99.0]), 0.5
    _, by_scale = gradients(x, scale)

    inside = np.round(x[1:3] / scale) - x[1:3] / scale
    np.testing.assert_allclose(by_scale, -128 + inside.sum() + 127, rtol=1e-5)


def test_scales_of_channels_get_the_gradients_of_their_channels():
    x, scale = np.array([[0.3, 8.0], [0.2, -9.0]]), np.array([[0.5, 0.05]])
    _, by_scale = gradients(x, scale, limits=(-127, 127))

    first = np.round(x[:, 0] / 0.5) - x[:, 0] / 0.5
    np.testing.assert_allclose(by_scale, [[first.sum(), 0]], rtol=1e-5, atol=1e-5)


def test_sums_are_rescaled_as_the_device_does_it():
    import tensorflow as tf

    from tinyml.train.fake_quantization import requantized

    rng = np.random.default_rng(0)
    multipliers = [*np.exp2(rng.uniform(-20, 1, 40)), *np.exp2(np.arange(-20.0, 2))]
    for real in multipliers:
        unit = float(np.float32(np.exp(rng.uniform(-15, 0))))
        scale = np.float32(unit / real)
        sums = rng.integers(-(2**21), 2**21, 1000)
        x = tf.constant(sums * unit, tf.float32)
        got = requantized(x, tf.constant(unit, tf.float64), tf.constant(scale))
        expected = requantize(sums, *quantize_multiplier(unit / float(scale)))
        np.testing.assert_array_equal(np.array(got), expected)


def test_samples_are_rounded_halves_away_from_zero_as_the_header_does_it():
    import tensorflow as tf

    from tinyml.train.fake_quantization import fake_quantize

    rounded = fake_quantize(tf.constant([0.5, -0.5, 2.5, 1.499]), tf.constant(1.0), 3.0, LIMITS)

    assert np.array(rounded).tolist() == [1, -1, 3, 1]


def test_averages_are_rounded_away_from_the_integer_zero():
    import tensorflow as tf

    from tinyml.train.fake_quantization import fake_quantize

    # Integers of -125.5 and 0.5 go to -126 and 1.
    x = tf.constant([2.5, 128.5])
    rounded = fake_quantize(x, tf.constant(1.0), -128.0, LIMITS, middle=128.0)

    assert np.array(rounded).tolist() == [2, 129]
