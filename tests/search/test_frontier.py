import pytest

from tinyml.quantize.recipe import Recipe
from tinyml.search.frontier import Limits, Trial, drop_of, excess, frontier, quality, recommended
from tinyml.search.trial import Outcome


def trial(
    flash: int, ram: int, agreement: float, accuracy: float | None = None, signal: float = 30.0
) -> Trial:
    outcome = Outcome(
        flash_bytes=flash,
        ram_bytes=ram,
        accuracy=accuracy,
        agreement=agreement,
        signal_to_error=signal,
    )
    return Trial(Recipe(), outcome)


REFUSED = Trial(Recipe(), Outcome(refused="too large"))
LIMITS = Limits(accuracy=1.0, max_drop=2.0)


def test_what_another_beats_in_everything_is_not_on_the_frontier():
    small, accurate, beaten = trial(10, 10, 0.9), trial(20, 10, 0.99), trial(20, 11, 0.98)

    assert frontier([beaten, accurate, REFUSED, small]) == (small, accurate)


def test_less_ram_for_more_flash_is_on_the_frontier():
    one, other = trial(10, 20, 0.9), trial(20, 10, 0.9)

    assert frontier([other, one]) == (one, other)


def test_of_equals_the_one_with_more_signal_stays_then_the_first():
    first, second, third = (trial(10, 10, 0.9, signal=signal) for signal in (30.0, 35.0, 35.0))

    assert frontier([first, second, third]) == (second,)
    assert recommended([first, second, third], LIMITS) is second


def test_the_cheapest_within_the_limits_is_recommended():
    trials = [trial(10, 10, 0.9), trial(30, 10, 0.985), trial(20, 15, 0.98), trial(50, 50, 1.0)]

    assert recommended(trials, LIMITS) is trials[2]


def test_where_none_keeps_the_limits_the_nearest_is_recommended():
    trials = [trial(10, 10, 0.5), trial(22, 10, 0.99), trial(40, 10, 1.0)]

    chosen = recommended(trials, Limits(accuracy=1.0, max_drop=0.5, max_flash=20))

    assert chosen is trials[1]
    # Half a point too many, and two bytes of twenty.
    assert excess(chosen, Limits(accuracy=1.0, max_drop=0.5, max_flash=20)) == pytest.approx(10.5)


def test_nothing_is_recommended_where_nothing_could_be_made():
    assert recommended([REFUSED], LIMITS) is None


def test_labels_count_where_there_are_some_and_floats_classes_where_not():
    labelled, plain = trial(10, 10, 0.7, accuracy=0.945), trial(10, 10, 0.7)

    assert (quality(labelled), quality(plain)) == (0.945, 0.7)
    assert drop_of(labelled, Limits(accuracy=0.95, max_drop=0.5)) == 0.5
    assert excess(labelled, Limits(accuracy=0.95, max_drop=0.5)) == 0
