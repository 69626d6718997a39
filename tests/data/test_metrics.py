import numpy as np
import pytest

from tinyml.data.metrics import Metric, agreement, predicted_classes, roc_auc, score

SCORES = np.array([[0.1, 0.7, 0.2], [0.5, 0.2, 0.3], [0.0, 0.0, 1.0], [0.4, 0.4, 0.2]])


def test_the_class_is_the_largest_score_and_the_first_of_equals():
    assert predicted_classes(SCORES).tolist() == [1, 0, 2, 0]


def test_scores_of_any_shape_are_one_list_of_classes():
    assert predicted_classes(SCORES.reshape(4, 1, 3, 1)).tolist() == [1, 0, 2, 0]


def test_one_score_tells_two_classes_apart_at_one_half():
    assert predicted_classes(np.array([[0.2], [0.5], [0.51], [1.0]])).tolist() == [0, 0, 1, 1]


def test_accuracy_is_the_fraction_of_samples_whose_class_is_the_label():
    labels = np.array([1, 1, 2, 0])

    assert score(Metric.ACCURACY, SCORES, SCORES, labels) == 0.75


def test_agreement_is_the_fraction_of_samples_in_the_same_class():
    assert agreement(SCORES, SCORES[::-1]) == 0.0
    assert agreement(SCORES, 100 * SCORES - 3) == 1.0


@pytest.mark.parametrize(
    ("labels", "expected"),
    [([0, 0, 1, 1], 1.0), ([1, 1, 0, 0], 0.0), ([0, 1, 0, 1], 0.75)],
)
def test_the_auc_is_the_share_of_pairs_in_which_the_anomaly_scores_higher(labels, expected):
    assert roc_auc(np.array([0.1, 0.2, 0.3, 0.4]), np.array(labels)) == expected


def test_equal_scores_count_half():
    assert roc_auc(np.array([0.5, 0.5, 0.9, 0.5]), np.array([0, 0, 1, 1])) == 0.75


def test_an_autoencoder_is_judged_by_how_badly_it_reconstructs_anomalies():
    inputs = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    outputs = np.array([[[1.1], [2.0]], [[9.0], [4.0]], [[5.0], [6.2]]])

    assert score(Metric.RECONSTRUCTION_AUC, inputs, outputs, np.array([0, 1, 0])) == 1
    assert score(Metric.RECONSTRUCTION_AUC, inputs, outputs, np.array([0, 0, 1])) == 0.5
