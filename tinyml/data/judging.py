"""Whether data can judge a model: the metric they name, and their labels."""

from __future__ import annotations

import numpy as np

from tinyml.data.dataset import Dataset
from tinyml.data.metrics import Metric
from tinyml.errors import InputError
from tinyml.ir.graph import Graph


def metric_of(data: Dataset, graph: Graph) -> Metric:
    """Return the metric the data names. Raises InputError where it does not suit the model."""
    names = [metric.value for metric in Metric]
    if data.metric not in names:
        raise InputError(
            f"the data's 'metric' is '{data.metric}', expected {' or '.join(names)}; "
            "save it under one of these names"
        )
    metric = Metric(data.metric)
    source, result = graph.tensor(graph.inputs[0]), graph.tensor(graph.outputs[0])
    if metric is Metric.RECONSTRUCTION_AUC and source.size != result.size:
        raise InputError(
            f"the data's 'metric' is '{metric.value}', but output '{result.name}' {result.shape} "
            f"has another size than input '{source.name}' {source.shape}; give an autoencoder"
        )
    return metric


def check_labels(data: Dataset, graph: Graph, metric: Metric, *, needed: bool) -> None:
    """Raise InputError where labels are ``needed`` and missing, or name no class of the model."""
    if data.labels is None:
        if needed:
            raise InputError(
                "a limit on the accuracy drop needs labels: add them to the data as 'y'"
            )
        return
    name = graph.outputs[0]
    # One score tells two classes apart, and so does the error of a reconstruction.
    classes = max(2, graph.tensor(name).size) if metric is Metric.ACCURACY else 2
    wrong = np.flatnonzero((data.labels < 0) | (data.labels >= classes))
    if wrong.size:
        raise InputError(
            f"label {data.labels[wrong[0]]} of sample {wrong[0]} is no class of output '{name}', "
            f"expected 0 to {classes - 1}; number the classes as the model was trained"
        )
    if metric is Metric.RECONSTRUCTION_AUC and len(np.unique(data.labels)) < classes:
        raise InputError(
            f"all labels are {data.labels[0]}, but a ROC AUC compares samples of label 1, "
            "an anomaly, with samples of label 0; give both"
        )
