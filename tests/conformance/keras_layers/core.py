"""Layers at the core, those that a training adds and inference leaves out among them."""

from keras_layers.setting import IDS, IMAGE, ROW, STEPS, Setting, Source, inner, on

MASKED = Source((6, 5), limits=(0.5, 1.5))
WIDE_IDS = Source((4, 3), "int32", (0, 9))

SETTINGS: tuple[Setting, ...] = (
    on("Dense", ROW, units=5),
    on("Dense", ROW, units=5, activation="relu", use_bias=False),
    on("Dense", ROW, units=5, activation="softmax"),
    on("Dense", STEPS, units=4),
    on("EinsumDense", ROW, equation="ab,bc->ac", output_shape=5, bias_axes="c"),
    on("EinsumDense", STEPS, equation="abc,cd->abd", output_shape=(None, 4), bias_axes="d"),
    on("EinsumDense", STEPS, equation="abc,cde->abde", output_shape=(None, 2, 3)),
    on("Embedding", IDS, input_dim=10, output_dim=4),
    on("Embedding", WIDE_IDS, input_dim=10, output_dim=3),
    on("ReversibleEmbedding", IDS, input_dim=10, output_dim=4),
    on("Identity", ROW),
    on("Masking", MASKED),
    on("Dropout", ROW, rate=0.5),
    on("AlphaDropout", ROW, rate=0.5),
    on("GaussianDropout", ROW, rate=0.5),
    on("GaussianNoise", ROW, stddev=0.5),
    on("SpatialDropout1D", STEPS, rate=0.5),
    on("SpatialDropout2D", IMAGE, rate=0.5),
    on("SpatialDropout3D", Source((4, 6, 4, 3)), rate=0.5),
    on("ActivityRegularization", ROW, l2=0.1),
    on("Pipeline", ROW, layers=[inner("Rescaling", scale=0.5), inner("Rescaling", scale=2.0)]),
)
