from pathlib import Path

import numpy as np
import pytest
from qat_networks import dense, rows

import tinyml
from tinyml.data.dataset import Dataset
from tinyml.errors import InputError, InterruptedTrainingError, ModelError
from tinyml.train.finetune import Tuning, tune
from tinyml.train.numbers import in_numpy
from tinyml.train.qat import prepare_qat, qat_layer
from tinyml.train.state import read_state, refuse_other_file

pytestmark = pytest.mark.xdist_group("qat")

X = rows(48)
DATA = Dataset(X, np.argmax(X[:, :3], axis=1))
TUNING = Tuning(epochs=3, learning_rate=0.01, batch_size=16, seed=3)


def model(ranges="moving-average"):
    graph = dense()
    return prepare_qat(graph, tinyml.calibrate(graph, X), ranges=ranges)


def numbers(trained):
    return [in_numpy(variable) for variable in qat_layer(trained).variables]


def interrupt_after(epochs):
    def on_epoch(done, _loss):
        if done == epochs:
            raise KeyboardInterrupt

    return on_epoch


def test_labels_are_learned_and_the_best_epoch_is_kept():
    trained = model("learned")
    result = tune(trained, DATA, TUNING)

    assert result.loss == "cross-entropy"
    assert (result.samples, result.held_out) == (43, 5)
    assert result.losses[result.kept] == min(result.losses) < result.losses[0]


def test_an_interrupted_training_goes_on_to_the_same_bits(tmp_path):
    state = tmp_path / "state.npz"
    whole, parts, again = model(), model(), model()
    expected = tune(whole, DATA, TUNING)

    with pytest.raises(InterruptedTrainingError, match=r"after 1 of 3 epochs; the state after ep"):
        tune(parts, DATA, TUNING, state=state, on_epoch=interrupt_after(1))
    result = tune(again, DATA, TUNING, state=state, resume=True)

    assert result == expected
    assert all(map(np.array_equal, numbers(again), numbers(whole)))
    # The end is a state as well: nothing is lost where the model cannot be written.
    assert tune(model(), DATA, TUNING, state=state, resume=True) == expected


def test_without_labels_the_float_model_is_imitated():
    result = tune(model(), Dataset(X), Tuning(epochs=1, batch_size=16))

    assert result.loss == "error against the float model"
    assert 0 < result.losses[0] < 0.01


def test_a_loss_that_is_no_number_ends_training_with_the_best_numbers():
    trained = model()
    before = numbers(trained)
    layer = qat_layer(trained)
    first = layer.trainable_variables[0]

    def spoil(_epoch, _loss):
        first.assign(first * np.nan)

    with pytest.raises(InputError, match=r"the loss became nan in epoch 2, .* try 0\.0001"):
        tune(trained, DATA, Tuning(epochs=3, learning_rate=1e-3), on_epoch=spoil)
    assert np.isfinite(np.concatenate([array.reshape(-1) for array in numbers(trained)])).all()
    assert len(before) == len(numbers(trained))


def test_the_state_of_another_training_is_refused(tmp_path):
    state = tmp_path / "state.npz"
    with pytest.raises(InterruptedTrainingError):
        tune(model(), DATA, TUNING, state=state, on_epoch=interrupt_after(1))
    other = model()
    weights = qat_layer(other).trainable_variables[0]
    weights.assign(weights + 1)

    with pytest.raises(InputError, match="is the state of another training: model, data or opt"):
        tune(other, DATA, TUNING, state=state, resume=True)
    with pytest.raises(InputError, match="is the state of another training"):
        tune(model(), Dataset(X[::-1], DATA.labels), TUNING, state=state, resume=True)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (DATA.labels + 1, "labels reach from 1 to 3, expected classes from 0 to 2"),
        (DATA.labels - 1, "labels reach from -1 to 1, expected classes from 0 to 2"),
    ],
)
def test_labels_that_are_no_classes_are_refused(labels, message):
    with pytest.raises(InputError, match=message):
        tune(model(), Dataset(X, labels), TUNING)


def test_one_sample_is_too_few_and_a_model_without_weights_is_refused():
    with pytest.raises(InputError, match="the data hold 1 samples, expected 2 or more"):
        tune(model(), Dataset(X[:1]), TUNING)
    from graphs import activation, make_graph, relu

    tensors = [activation("x", (1, 4), None), activation("y", (1, 4), None)]
    graph = make_graph(tensors, [relu("y", "x")], ["x"], ["y"])
    with pytest.raises(ModelError, match="has no weights, expected some to train"):
        tune(prepare_qat(graph, tinyml.calibrate(graph, X)), Dataset(X), TUNING)


def test_files_that_hold_no_state_are_refused(tmp_path):
    with pytest.raises(InputError, match="there is no state"):
        read_state(tmp_path / "none.npz", "key")
    for content in (b"", b"not a zip", b"PK\x03\x04broken"):
        path = Path(tmp_path / "state.npz")
        path.write_bytes(content)
        with pytest.raises(InputError, match="cannot be read as the state of a training"):
            read_state(path, "key")


def test_somebody_elses_file_is_not_written_over(tmp_path):
    path = tmp_path / "state.npz"
    np.savez(path, x=X)

    with pytest.raises(InputError, match="is where the state of training goes, and holds some"):
        refuse_other_file(path)


def test_epochs_and_rates_without_meaning_are_refused():
    with pytest.raises(InputError, match="expected 1 or more of both"):
        Tuning(epochs=0)
    with pytest.raises(InputError, match="the learning rate is 2, expected more than 0"):
        Tuning(learning_rate=2)
