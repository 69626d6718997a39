"""What messages say of many things at once."""

from tinyml.errors import said_once, shortened


def test_a_few_names_are_all_shown_and_many_are_counted():
    assert shortened(["'a'", "'b'"]) == "'a', 'b'"
    assert shortened([f"'{letter}'" for letter in "abcdef"]) == "'a', 'b', 'c' and 3 more"


def test_one_cause_is_said_once_with_the_layers_it_is_of():
    reasons = [
        "operator 1: ERF 'a' is not supported",
        "operator 2: ADD 'b': input 'x' is int32, expected int8",
        "operator 3: ERF 'c' is not supported",
        "operator 17: ERF 'd' is not supported",
    ]

    assert list(said_once(reasons)) == [
        "operator 1: ERF 'a' is not supported; likewise 'c', 'd'",
        "operator 2: ADD 'b': input 'x' is int32, expected int8",
    ]
