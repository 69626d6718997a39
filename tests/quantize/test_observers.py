import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyml.errors import InputError
from tinyml.quantize.observers import (
    MinMax,
    MovingAverage,
    ObserverKind,
    Percentile,
    observer_factory,
)

values = st.floats(-1e6, 1e6, width=32)
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


@given(samples)
def test_the_percentile_histogram_keeps_every_count_when_it_grows(batches):
    observer = observed(Percentile(99.9), batches)

    assert observer._counts.sum() == sum(len(batch) for batch in batches)


@given(samples)
def test_the_hundredth_percentile_covers_everything_within_one_bin(batches):
    observer = observed(Percentile(100), batches)
    low, high = observer.range
    lowest, highest = observed(MinMax(), batches).range

    bin_width = 2.001 * observer._limit / Percentile.BINS
    rounding = 1e-6 * max(abs(lowest), abs(highest))  # of numpy's choice of bin
    assert lowest - bin_width - rounding <= low <= lowest + rounding
    assert highest - rounding <= high <= highest + bin_width + rounding


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


def test_the_range_of_zeros_is_next_to_nothing():
    low, high = observed(Percentile(99.99), [[0.0] * 5]).range

    assert -1e-6 <= low <= 0 <= high <= 1e-6


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
    ],
)
def test_every_kind_makes_a_fresh_observer_each_time(kind, cls):
    make = observer_factory(kind)

    assert isinstance(make(), cls)
    assert make() is not make()
