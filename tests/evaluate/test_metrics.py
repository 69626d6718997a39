import numpy as np

from tinyml.evaluate.metrics import accuracy, agreement, predicted_classes

SCORES = np.array([[0.1, 0.7, 0.2], [0.5, 0.2, 0.3], [0.0, 0.0, 1.0], [0.4, 0.4, 0.2]])


def test_the_class_is_the_largest_score_and_the_first_of_equals():
    assert predicted_classes(SCORES).tolist() == [1, 0, 2, 0]


def test_scores_of_any_shape_are_one_list_of_classes():
    assert predicted_classes(SCORES.reshape(4, 1, 3, 1)).tolist() == [1, 0, 2, 0]


def test_one_score_tells_two_classes_apart_at_one_half():
    assert predicted_classes(np.array([[0.2], [0.5], [0.51], [1.0]])).tolist() == [0, 0, 1, 1]


def test_accuracy_is_the_fraction_of_samples_whose_class_is_the_label():
    assert accuracy(SCORES, np.array([1, 1, 2, 0])) == 0.75


def test_agreement_is_the_fraction_of_samples_in_the_same_class():
    assert agreement(SCORES, SCORES[::-1]) == 0.0
    assert agreement(SCORES, 100 * SCORES - 3) == 1.0
