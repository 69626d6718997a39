"""Activations: the layers, and every function by its name, over narrow and over wide inputs."""

from keras_layers.setting import IMAGE, ROW, STEPS, Setting, Source, on

NARROW = Source((64,), limits=(-4, 4))
WIDE = Source((64,), limits=(-30, 30))

FUNCTIONS = (
    *("celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu"),
    *("hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6"),
    *("selu", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus"),
    *("sparse_sigmoid", "sparsemax", "squareplus", "tanh", "tanh_shrink", "threshold"),
)
# Which take arguments that a layer's name cannot give.
WITH_ARGUMENTS = frozenset({"threshold"})
# Whose values over the wide inputs no eight bits hold beside each other.
NARROW_ONLY = frozenset({"exponential"})


def _named(function: str) -> tuple[Setting, ...]:
    sources = (NARROW,) if function in NARROW_ONLY else (NARROW, WIDE)
    return tuple(
        Setting("Activation", {"activation": function}, (source,))
        for source in sources
        if function not in WITH_ARGUMENTS
    )


SETTINGS: tuple[Setting, ...] = (
    *(setting for function in FUNCTIONS for setting in _named(function)),
    on("ReLU", ROW),
    on("ReLU", ROW, max_value=6.0),
    on("ReLU", ROW, negative_slope=0.1, threshold=0.5, max_value=2.0),
    on("LeakyReLU", ROW),
    on("LeakyReLU", IMAGE, negative_slope=0.05),
    on("PReLU", ROW),
    on("PReLU", IMAGE, shared_axes=[1, 2]),
    on("ELU", ROW),
    on("ELU", ROW, alpha=0.5),
    on("Softmax", ROW),
    on("Softmax", STEPS, axis=1),
)
