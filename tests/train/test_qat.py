from dataclasses import replace

import numpy as np
import pytest
from graphs import activation, float_weights, fully_connected, make_graph, reshape, small_float
from qat_networks import dense, gated, rows, shared_weights, standardizing

import tinyml
from tinyml.errors import InputError, ModelError
from tinyml.ops.log import Log
from tinyml.quantize.scheme import Override, Scheme
from tinyml.train.qat import check_trainable, convert_qat, prepare_qat, qat_layer
from tinyml.train.quantize_aware import agreement_of

pytestmark = pytest.mark.xdist_group("qat")

IMAGES = np.random.default_rng(0).uniform(-1, 1, (20, 6, 6, 2)).astype(np.float32)


def agreement(graph, samples, scheme=Scheme(), ranges="moving-average"):  # noqa: B008  # frozen
    model = prepare_qat(graph, tinyml.calibrate(graph, samples), scheme, ranges)
    return agreement_of(model, convert_qat(model), samples)


@pytest.mark.parametrize(
    ("scheme", "ranges"),
    [
        (Scheme(), "moving-average"),
        (Scheme(per_channel=False, weight_bits=4), "learned"),
    ],
)
def test_the_int8_graph_computes_what_is_trained_to_the_bit(scheme, ranges):
    found = agreement(small_float(), [IMAGES], scheme, ranges)

    assert (found.samples, found.equal) == (20, 1)


def test_int16_layers_among_int8_ones_are_trained_as_such():
    wide = Override(layers="small/depthwise", activations=tinyml.DType.INT16)

    found = agreement(small_float(), [IMAGES], Scheme(overrides=(wide,)))

    # Sums of int16 are beyond the 24 bits of float32, whose last ones round otherwise now and then.
    assert found.steps <= 1


def test_gates_average_pools_and_concatenations_are_trained_to_the_bit():
    images = np.random.default_rng(0).uniform(-1, 1, (20, 4, 4, 2)).astype(np.float32)

    assert agreement(gated(), [images]).equal == 1


def test_inputs_that_a_model_standardizes_are_trained_as_float32():
    samples = rows() * np.float32([100, 0.02, 1, 1]) + np.float32([1000, 0, 5, 1])
    graph = standardizing()
    model = prepare_qat(graph, tinyml.calibrate(graph, samples))

    assert len(qat_layer(model).prepared.standardized) == 1
    assert agreement_of(model, convert_qat(model), [samples]).equal == 1


def test_operators_that_share_weights_share_what_is_learned_of_them():
    samples = [rows(), 10 * rows(seed=1)]
    graph = shared_weights()
    model = prepare_qat(graph, tinyml.calibrate(graph, samples), ranges="learned")
    layer = qat_layer(model)
    for variable in layer.trainable_variables:
        variable.assign(variable + 0.01)

    assert agreement_of(model, convert_qat(model), samples).equal == 1
    assert len([v for v in layer.trainable_variables if v.name == "w_threshold"]) == 1


def test_channels_without_weights_are_trained_like_all_others():
    graph = small_float()
    weights = np.array(graph.tensor("conv/w").data)
    weights[1], weights[2] = 0, 1e-25
    graph = graph.with_tensors(replace(graph.tensor("conv/w"), data=weights))

    assert agreement(graph, [IMAGES]).steps <= 1


def test_a_model_is_trained_with_a_loop_and_tf_data_of_ones_own():
    import keras
    import tensorflow as tf

    graph, x = dense("logits"), rows(64)
    y = np.argmax(x[:, :3], axis=1)
    model = tinyml.prepare_qat(graph, tinyml.calibrate(graph, x))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(0.05), loss=loss)
    data = tf.data.Dataset.from_tensor_slices((x, y)).batch(16)

    history = model.fit(data, epochs=3, verbose=0, shuffle=False).history["loss"]
    quantized = tinyml.convert_qat(model)

    assert history[-1] < history[0]
    assert agreement_of(model, quantized, [x]).equal == 1


def test_logarithms_of_any_sign_are_no_mixture_of_samples():
    tensors = [activation("x", (1, 4), None), activation("y", (1, 4), None)]
    graph = make_graph(tensors, [Log(name="y", inputs=("x",), outputs=("y",))], ["x"], ["y"])

    check_trainable(graph)


def test_what_has_no_gradient_behind_weights_is_refused_by_name():
    graph = dense("round")

    with pytest.raises(ModelError, match="ROUND 'y': cannot be trained yet: it has no gradient"):
        prepare_qat(graph, tinyml.calibrate(graph, rows()))


def test_graphs_that_mix_samples_are_refused():
    tensors = [
        activation("x", (1, 4), None),
        activation("pairs", (2, 2), None),
        activation("turned", (1, 4), None),
        float_weights("w", (3, 4)),
        activation("y", (1, 3), None),
    ]
    first = make_graph(
        [*tensors[:2], float_weights("v", (4, 2)), activation("z", (2, 4), None)],
        [reshape("pairs", "x", (2, 2)), fully_connected("z", "pairs", "v")],
        ["x"],
        ["z"],
    )
    ops = [reshape("turned", "x", (1, 4)), fully_connected("y", "turned", "w")]

    check_trainable(make_graph([tensors[0], *tensors[2:]], ops, ["x"], ["y"]))
    check_trainable(first)  # rows of one sample stay together

    x = activation("x", (2, 4), None)
    both = make_graph(
        [x, *tensors[3:4], activation("y", (2, 3), None)],
        [fully_connected("y", "x", "w")],
        ["x"],
        ["y"],
    )
    with pytest.raises(ModelError, match=r"input 'x' has shape \(2, 4\), expected a first dim"):
        check_trainable(both)


def test_what_the_device_has_no_integers_for_is_refused_before_training():
    graph = small_float()
    bias = activation("conv/b", (4,), None)
    broken = replace(graph.with_tensors(bias), inputs=("image", "conv/b"))

    with pytest.raises(ModelError, match="'conv/b'"):
        prepare_qat(broken, tinyml.calibrate(graph, IMAGES))


def test_weights_that_are_nan_and_other_models_are_refused():
    import keras

    graph = dense()
    model = prepare_qat(graph, tinyml.calibrate(graph, rows()))
    weights = next(v for v in qat_layer(model).trainable_variables if v.name == "w")
    weights.assign(weights * np.nan)

    with pytest.raises(ModelError, match="weights 'w' are not finite"):
        convert_qat(model)
    with pytest.raises(InputError, match=r"expected one that tinyml\.prepare_qat made"):
        convert_qat(keras.Sequential([keras.layers.Dense(2)]))
    with pytest.raises(InputError, match="ranges are 'guessed', expected 'moving-average' or"):
        prepare_qat(graph, tinyml.calibrate(graph, rows()), ranges="guessed")
