"""Preprocessing that runs at inference."""

from keras_layers.setting import IMAGE, PIXELS, ROW, Setting, Source, merging, on

NUMBERS = Source((6,), limits=(-3, 3))
COUNTS = Source((6,), "int32", (0, 4))
CLASSES = Source((1,), "int32", (0, 4))
WORDS = Source((1,), "string")
SOUND = Source((256,))
CHANNELS = Source((256, 1))
WORDS_KNOWN = ["on", "off"]

SETTINGS: tuple[Setting, ...] = (
    on("Rescaling", PIXELS, scale=1 / 255),
    on("Rescaling", PIXELS, scale=1 / 127.5, offset=-1.0),
    on("Normalization", ROW, mean=0.5, variance=4.0),
    on("Normalization", IMAGE, axis=-1, mean=[0.1, 0.2, 0.3, 0.4], variance=[1.0, 2.0, 0.5, 4.0]),
    on("Normalization", ROW, mean=0.5, variance=4.0, invert=True),
    on("Resizing", PIXELS, height=16, width=12),
    on("Resizing", PIXELS, height=4, width=4),
    on("Resizing", PIXELS, height=16, width=16, interpolation="nearest"),
    on("Resizing", PIXELS, height=16, width=16, interpolation="bicubic"),
    on("Resizing", PIXELS, height=6, width=4, crop_to_aspect_ratio=True),
    on("CenterCrop", PIXELS, height=4, width=6),
    on("CenterCrop", PIXELS, height=12, width=12),
    on("Discretization", NUMBERS, bin_boundaries=[-1.0, 0.0, 1.5]),
    on("Discretization", NUMBERS, bin_boundaries=[-1.0, 0.0, 1.5], output_mode="one_hot"),
    on("CategoryEncoding", CLASSES, num_tokens=5, output_mode="one_hot"),
    on("CategoryEncoding", COUNTS, num_tokens=5, output_mode="multi_hot"),
    on("CategoryEncoding", COUNTS, num_tokens=5, output_mode="count"),
    on("Hashing", COUNTS, num_bins=8),
    merging("HashedCrossing", CLASSES, CLASSES, num_bins=8),
    on("IntegerLookup", COUNTS, vocabulary=[1, 2, 3]),
    on("IntegerLookup", CLASSES, vocabulary=[1, 2, 3], output_mode="one_hot"),
    on("StringLookup", WORDS, vocabulary=WORDS_KNOWN),
    on("TextVectorization", WORDS, vocabulary=WORDS_KNOWN, output_sequence_length=4),
    on("STFTSpectrogram", CHANNELS, frame_length=64, frame_step=32, fft_length=64),
    on("MelSpectrogram", SOUND, fft_length=64, sequence_stride=32, num_mel_bins=8),
)
