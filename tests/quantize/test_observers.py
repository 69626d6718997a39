import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyml.errors import InputError
from tinyml.numerics.affine import affine_params, dequantize, quantize
from tinyml.quantize.histograms import EvenHistogram, Histogram
from tinyml.quantize.observers import (
    Entropy,
    MeanSquaredError,
    MinMax,
    MovingAverage,
    ObserverKind,
    Percentile,
    observer_factory,
)

values = st.floats(-1e6, 1e6, width=32, allow_subnormal=False)
samples = st.lists(st.lists(values, min_size=1, max_size=20), min_size=1, max_size=8)


def observed(observer, batches):
    for batch in batches:
        observer.observe(np.array(batch, np.float32))
    return observer


@given(samples)
def test_min_max_is_the_smallest_and_largest_value_of_all_samples(batches):
    everything = [value for batch in batches for value in batch]

    assert observed(MinMax(), batches).range == (min(everything), max(everything))


def test_a_moving_average_starts_at_the_first_sample():
    assert observed(MovingAverage(), [[-2.0, 5.0]]).range == (-2.0, 5.0)


def test_a_moving_average_moves_a_hundredth_of_the_way_to_each_next_sample():
    low, high = observed(MovingAverage(), [[-2.0, 5.0], [-4.0, 1.0]]).range

    assert low == pytest.approx(-2.02)
    assert high == pytest.approx(4.96)


@given(samples)
def test_a_moving_average_stays_within_the_extremes(batches):
    low, high = observed(MovingAverage(), batches).range
    lowest, highest = observed(MinMax(), batches).range

    slack = 1e-9 * max(1.0, abs(lowest), abs(highest))
    assert lowest - slack <= low <= high <= highest + slack


def test_a_moving_average_of_nothing_has_no_range():
    with pytest.raises(ValueError, match="no sample"):
        _ = MovingAverage().range


@pytest.mark.parametrize("make", [Histogram, EvenHistogram])
@given(batches=samples)
def test_a_histogram_keeps_every_count_when_it_grows(make, batches):
    histogram = make()
    for batch in batches:
        histogram.add(np.array(batch, np.float32))

    assert histogram.counts.sum() == sum(len(batch) for batch in batches)


@given(samples)
def test_every_value_lies_in_its_bin(batches):
    histogram = Histogram()
    for batch in batches:
        histogram.add(np.array(batch, np.float32))
    everything = np.sort(np.concatenate(batches).astype(np.float32))

    lower, upper = histogram.edges
    assert (np.repeat(lower, histogram.counts) <= everything).all()
    assert (everything <= np.repeat(upper, histogram.counts)).all()


@given(samples)
def test_the_hundredth_percentile_covers_everything_exactly(batches):
    assert observed(Percentile(100), batches).range == observed(MinMax(), batches).range


@given(st.floats(90, 99.9), st.integers(0, 50))
def test_at_most_the_tail_is_left_out_at_either_end(percentile, seed):
    data = np.random.default_rng(seed).normal(size=5000).astype(np.float32)

    low, high = observed(Percentile(percentile), np.split(data, 10)).range

    tail = 1 - percentile / 100
    for share in ((data < low).mean(), (data > high).mean()):
        assert tail - 0.02 <= share <= tail + 1e-9


def test_one_outlier_among_many_is_left_out():
    data = np.concatenate([np.linspace(-1, 1, 100_000), [1000.0]]).astype(np.float32)

    low, high = observed(Percentile(99.9), [data]).range

    assert low == pytest.approx(-1, abs=0.3)
    assert high == pytest.approx(1, abs=0.3)


@pytest.mark.parametrize("kind", ObserverKind)
def test_an_outlier_of_a_million_among_many_leaves_the_rest_to_the_percentile_alone(kind):
    data = np.random.default_rng(0).normal(size=100_000).astype(np.float32)
    data[70_000] = 1e6

    low, high = observed(observer_factory(kind, 99.99)(), [data]).range

    if kind is ObserverKind.PERCENTILE:
        assert (low, high) == (pytest.approx(-4, abs=0.5), pytest.approx(4, abs=0.5))
    else:  # a 32nd of it is the least that entropy's histogram can tell
        assert high > 3e4


@pytest.mark.parametrize("kind", ObserverKind)
@given(values)
def test_the_range_of_one_number_ends_there(kind, value):
    low, high = observed(observer_factory(kind)(), [[value] * 5]).range

    end = high if value > 0 else low
    assert end == pytest.approx(value, rel=1e-4)
    assert max(abs(low), abs(high)) <= abs(value)


# Banner et al., arXiv 1810.05723: the best clipping in 8 bits, in standard deviations of a normal
# and in scales of a Laplace distribution.
@pytest.mark.parametrize(("draw", "expected"), [("normal", 3.92), ("laplace", 9.89)])
def test_the_least_squared_error_is_where_the_paper_has_it(draw, expected):
    data = getattr(np.random.default_rng(0), draw)(size=4_000_000).astype(np.float32)

    low, high = observed(MeanSquaredError(), [data]).range

    assert high == pytest.approx(expected, rel=0.02)
    assert low == pytest.approx(-expected, rel=0.02)


@pytest.mark.parametrize("draw", ["normal", "laplace", "exponential", "lognormal"])
def test_no_range_nearby_has_a_smaller_squared_error_in_eight_bits(draw):
    data = getattr(np.random.default_rng(1), draw)(size=200_000).astype(np.float32)

    low, high = observed(MeanSquaredError(), [data]).range

    least = squared_error(data, low, high)
    for factor in (0.8, 0.9, 1.1, 1.25):
        assert squared_error(data, low, high * factor) > 0.995 * least
        assert squared_error(data, low * factor, high) > 0.995 * least


def squared_error(data: np.ndarray, low: float, high: float) -> float:
    params = affine_params(low, high)
    return float(((dequantize(quantize(data, params), params) - data) ** 2).mean())


@pytest.mark.parametrize("observer", [MeanSquaredError, Entropy])
def test_values_that_are_equally_frequent_are_all_kept(observer):
    data = np.random.default_rng(2).uniform(-3, 5, 500_000).astype(np.float32)

    low, high = observed(observer(), [data]).range

    assert low == pytest.approx(-3, rel=0.02)
    assert high == pytest.approx(5, rel=0.02)


def test_entropy_leaves_out_what_is_rare_and_far():
    data = np.random.default_rng(3).normal(size=200_000).astype(np.float32)
    data[:20] = np.linspace(30, 31, 20)

    low, high = observed(Entropy(), [data]).range

    assert 3 < high < 12
    assert low == -high


def test_zeros_before_the_first_value_do_not_narrow_the_range():
    low, high = observed(Percentile(100), [[0.0], [0.0, -3.0, 7.0]]).range

    assert low == pytest.approx(-3, abs=0.01)
    assert high == pytest.approx(7, abs=0.01)


@pytest.mark.parametrize("percentile", [50, 0, -1, 100.1, float("nan")])
def test_a_percentile_that_makes_no_sense_is_refused(percentile):
    with pytest.raises(InputError, match=r"percentile is .*, expected more than 50"):
        Percentile(percentile)


@pytest.mark.parametrize(
    ("kind", "cls"),
    [
        (ObserverKind.MIN_MAX, MinMax),
        (ObserverKind.MOVING_AVERAGE, MovingAverage),
        (ObserverKind.PERCENTILE, Percentile),
        (ObserverKind.MEAN_SQUARED_ERROR, MeanSquaredError),
        (ObserverKind.ENTROPY, Entropy),
    ],
)
def test_every_kind_makes_a_fresh_observer_each_time(kind, cls):
    make = observer_factory(kind)

    assert isinstance(make(), cls)
    assert make() is not make()
