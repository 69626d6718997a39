"""Layers that go step by step."""

from keras_layers.setting import STEPS, Setting, Source, inner, on

ROWS = Source((3, 6, 2))
IMAGES = Source((3, 5, 5, 2))
VOLUMES = Source((2, 3, 3, 3, 2))

CELLS = [inner("GRUCell", units=4), inner("LSTMCell", units=3)]

SETTINGS: tuple[Setting, ...] = (
    on("LSTM", STEPS, units=4),
    on("LSTM", STEPS, units=4, return_sequences=True),
    on("LSTM", STEPS, units=4, go_backwards=True, use_bias=False),
    on("LSTM", STEPS, units=4, activation="relu", recurrent_activation="hard_sigmoid"),
    on("LSTM", STEPS, units=4, return_state=True),
    on("LSTM", STEPS, units=4, stateful=True),
    on("GRU", STEPS, units=4),
    on("GRU", STEPS, units=4, return_sequences=True, reset_after=False),
    on("GRU", STEPS, units=4, go_backwards=True, use_bias=False),
    on("GRU", STEPS, units=4, stateful=True),
    on("SimpleRNN", STEPS, units=4),
    on("SimpleRNN", STEPS, units=4, return_sequences=True, activation="relu"),
    on("SimpleRNN", STEPS, units=4, stateful=True),
    on("RNN", STEPS, cell=inner("LSTMCell", units=4)),
    on("RNN", STEPS, cell=inner("GRUCell", units=4), return_sequences=True),
    on("RNN", STEPS, cell=inner("SimpleRNNCell", units=4)),
    on("RNN", STEPS, cell=inner("StackedRNNCells", cells=CELLS)),
    on("Bidirectional", STEPS, layer=inner("LSTM", units=3)),
    on("Bidirectional", STEPS, layer=inner("GRU", units=3, return_sequences=True)),
    on("Bidirectional", STEPS, layer=inner("SimpleRNN", units=3), merge_mode="sum"),
    on("Bidirectional", STEPS, layer=inner("LSTM", units=3), merge_mode="mul"),
    on("TimeDistributed", STEPS, layer=inner("Dense", units=3)),
    on("TimeDistributed", IMAGES, layer=inner("Conv2D", filters=3, kernel_size=3)),
    on("TimeDistributed", IMAGES, layer=inner("GlobalAveragePooling2D")),
    on("ConvLSTM1D", ROWS, filters=2, kernel_size=3),
    on("ConvLSTM1D", ROWS, filters=2, kernel_size=3, padding="same", return_sequences=True),
    on("ConvLSTM2D", IMAGES, filters=2, kernel_size=3),
    on("ConvLSTM2D", IMAGES, filters=2, kernel_size=3, padding="same", return_sequences=True),
    on("ConvLSTM3D", VOLUMES, filters=2, kernel_size=2),
)
