"""Prints how well int8 keeps functions that frameworks spell in different ways, as Markdown.

    python benchmarks/functions.py [FUNCTION ...]

Every function is one model: of Keras, through TensorFlow's converter (what it writes is a .tflite);
of ONNX as one node, where there is one; and of ONNX in small operators, as exporters write it for
opsets that lack the node, or always. Each is calibrated and compared on 64 samples spread evenly
over +-2 or +-40. The figures are decibels of signal to error against the float model of the same
file, on the oracles of the operators.
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx.parser

from tinyml.evaluate.oracle import run_float, run_reference
from tinyml.export.tflite import write_tflite
from tinyml.frontend.load import load_model
from tinyml.frontend.onnx.read import read_onnx
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ir.graph import Array, Graph
from tinyml.numerics.affine import dequantize, quantize
from tinyml.passes.orders import prepare_for_device
from tinyml.quantize.calibrate import calibrate
from tinyml.quantize.observers import MinMax
from tinyml.quantize.post_training import quantize_graph
from tinyml.quantize.scheme import Scheme

SHAPE = (1, 4, 6, 6)  # of ONNX; Keras has the channels last
SAMPLES = 64
LIMITS = (2, 40)
SEED = 20240119
OPSET = 23

HEAD = "| function | Keras, .tflite | wide | ONNX node | wide | ONNX spelled | wide |"
ALIGNMENT = "|---|--:|--:|--:|--:|--:|--:|"


@dataclass(frozen=True, slots=True)
class Function:
    """What Keras calls it, and bodies of ONNX graphs from x to y in ONNX's text format."""

    keras: str
    node: str = ""
    spelled: str = ""


def numbers(**values: float) -> str:
    """Constants of one number each."""
    lines = (f"{name} = Constant<value_float = {value!r}>()" for name, value in values.items())
    return "\n".join(lines) + "\n"


def integers(**values: Sequence[int]) -> str:
    """Constants of several integers each."""
    lines = (
        f"{name} = Constant<value_ints = [{', '.join(map(str, value))}]>()"
        for name, value in values.items()
    )
    return "\n".join(lines) + "\n"


ONE = numbers(one=1.0)
VECTORS = integers(count=[SHAPE[1]]) + "ones = ConstantOfShape<value = float[1] {1.0}>(count)\n"
VECTORS += "zeros = ConstantOfShape(count)\n"
MOMENTS = """
mean = ReduceMean(g, axes)
centred = Sub(g, mean)
square = Mul(centred, centred)
variance = ReduceMean(square, axes)
sum = Add(variance, eps)
root = Sqrt(sum)
normal = Div(centred, root)
"""

FUNCTIONS: Mapping[str, Function] = {
    "softplus": Function(
        'layers.Activation("softplus")(x)',
        "y = Softplus(x)",
        ONE + "e = Exp(x)\ns = Add(e, one)\ny = Log(s)",
    ),
    "mish": Function(
        'layers.Activation("mish")(x)',
        "y = Mish(x)",
        "s = Softplus(x)\nt = Tanh(s)\ny = Mul(x, t)",
    ),
    "swish": Function('layers.Activation("silu")(x)', "", "s = Sigmoid(x)\ny = Mul(x, s)"),
    "log-sigmoid": Function(
        'layers.Activation("log_sigmoid")(x)', "", "s = Sigmoid(x)\ny = Log(s)"
    ),
    "GELU": Function(
        "ops.gelu(x, approximate=False)",
        "y = Gelu(x)",
        numbers(root=math.sqrt(2), one=1.0, half=0.5)
        + "a = Div(x, root)\ne = Erf(a)\ns = Add(e, one)\np = Mul(x, s)\ny = Mul(p, half)",
    ),
    "GELU by tanh": Function(
        "ops.gelu(x, approximate=True)",
        'y = Gelu<approximate = "tanh">(x)',
        numbers(three=3.0, cube=0.044715, outer=math.sqrt(2 / math.pi), one=1.0, half=0.5)
        + "p = Pow(x, three)\nc = Mul(p, cube)\ns = Add(x, c)\na = Mul(s, outer)\nt = Tanh(a)\n"
        "u = Add(t, one)\nh = Mul(x, half)\ny = Mul(h, u)",
    ),
    "hard sigmoid": Function(
        'layers.Activation("hard_sigmoid")(x)',
        "y = HardSigmoid<alpha = 0.16666667, beta = 0.5>(x)",
        numbers(three=3.0, zero=0.0, six=6.0)
        + "a = Add(x, three)\nc = Clip(a, zero, six)\ny = Div(c, six)",
    ),
    "hard swish": Function(
        'layers.Activation("hard_silu")(x)',
        "y = HardSwish(x)",
        numbers(three=3.0, zero=0.0, six=6.0)
        + "a = Add(x, three)\nc = Clip(a, zero, six)\np = Mul(x, c)\ny = Div(p, six)",
    ),
    "leaky by selection": Function(
        "ops.where(x > 0, x, 0.1 * x)",
        "y = LeakyRelu<alpha = 0.1>(x)",
        numbers(zero=0.0, slope=0.1)
        + "above = Greater(x, zero)\nb = Mul(x, slope)\ny = Where(above, x, b)",
    ),
    "SELU": Function(
        'layers.Activation("selu")(x)',
        "y = Selu(x)",
        numbers(zero=0.0, a=1.7580993408473766, s=1.0507009873554805, one=1.0)
        + "above = Greater(x, zero)\nu = Mul(x, s)\ne = Exp(x)\nd = Sub(e, one)\nl = Mul(d, a)\n"
        "y = Where(above, u, l)",
    ),
    "softsign": Function(
        'layers.Activation("softsign")(x)',
        "y = Softsign(x)",
        ONE + "a = Abs(x)\ns = Add(a, one)\ny = Div(x, s)",
    ),
    "log-softmax": Function(
        'layers.Activation("log_softmax")(x)',
        "y = LogSoftmax<axis = 1>(x)",
        integers(axes=[1])
        + "m = ReduceMax(x, axes)\nd = Sub(x, m)\ne = Exp(d)\ns = ReduceSum(e, axes)\nl = Log(s)\n"
        "y = Sub(d, l)",
    ),
    "layer normalization": Function(
        "layers.LayerNormalization()(x)",
        VECTORS + "t = Transpose<perm = [0, 2, 3, 1]>(x)\n"
        "n = LayerNormalization<axis = -1, epsilon = 0.001>(t, ones, zeros)\n"
        "y = Transpose<perm = [0, 3, 1, 2]>(n)",
        integers(axes=[1])
        + numbers(eps=1e-3)
        + "g = Identity(x)"
        + MOMENTS
        + "y = Identity(normal)",
    ),
    "group normalization": Function(
        "layers.GroupNormalization(2)(x)",
        VECTORS + "y = GroupNormalization<num_groups = 2, epsilon = 0.001>(x, ones, zeros)",
        integers(groups=[1, 2, -1], whole=SHAPE, axes=[2])
        + numbers(eps=1e-3)
        + "g = Reshape(x, groups)"
        + MOMENTS
        + "y = Reshape(normal, whole)",
    ),
    "RMS normalization": Function(
        "layers.RMSNormalization()(x)",
        VECTORS + "t = Transpose<perm = [0, 2, 3, 1]>(x)\n"
        "n = RMSNormalization<axis = -1, epsilon = 0.000001>(t, ones)\n"
        "y = Transpose<perm = [0, 3, 1, 2]>(n)",
        integers(axes=[1])
        + numbers(two=2.0, eps=1e-6)
        + "p = Pow(x, two)\nm = ReduceMean(p, axes)\ns = Add(m, eps)\nr = Sqrt(s)\n"
        "i = Reciprocal(r)\ny = Mul(x, i)",
    ),
    "L2 normalization": Function(
        "layers.UnitNormalization()(x)",
        "y = LpNormalization<axis = 1, p = 2>(x)",
        integers(axes=[1], whole=SHAPE)
        + numbers(least=1e-12)
        + "n = ReduceL2(x, axes)\nc = Clip(n, least)\nb = Expand(c, whole)\ny = Div(x, b)",
    ),
}


def main(names: Sequence[str]) -> None:
    """Print one row per function."""
    chosen = [name for name in FUNCTIONS if not names or name in names]
    from_keras = keras_figures(chosen)
    print(HEAD)
    print(ALIGNMENT)
    for name, figures in zip(chosen, from_keras, strict=True):
        print(row(name, [*figures, *onnx_figures(name)]))


def row(name: str, figures: Sequence[float]) -> str:
    """One line; what there is no model of is a dash."""
    cells = ("-" if math.isnan(figure) else f"{figure:.0f}" for figure in figures)
    return f"| {' | '.join([name, *cells])} |"


def onnx_figures(name: str) -> list[float]:
    """Decibels of the node, narrow and wide, and of what spells it."""
    figures: list[float] = []
    for body in (FUNCTIONS[name].node, FUNCTIONS[name].spelled):
        graph = onnx_graph(body) if body else None
        figures += [decibels(graph, limit)[0] if graph else math.nan for limit in LIMITS]
    return figures


def onnx_graph(body: str) -> Graph:
    """The float graph of a function from x to y."""
    kind = f"float[{','.join(map(str, SHAPE))}]"
    head = f'<ir_version: 10, opset_import: ["" : {OPSET}]>'
    text = f"{head} function ({kind} x) => ({kind} y) {{\n{body}\n}}"
    return read_onnx(onnx.parser.parse_model(text).SerializeToString(), "function")


def keras_figures(names: Sequence[str]) -> list[tuple[float, ...]]:
    """Decibels of each function, narrow and wide; all are in one model, each with its own input."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "functions.keras"
        save_keras(path, names)
        graph = load_model(path)
    return list(zip(*(decibels(graph, limit) for limit in LIMITS), strict=True))


def save_keras(path: Path, names: Sequence[str]) -> None:
    """Write the model; the functions, as Keras spells them, are evaluated here."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    _, channels, *image = SHAPE
    inputs, outputs = [], []
    for name in names:
        x = keras.layers.Input((*image, channels), batch_size=1)
        scope = {
            "x": x,
            **{part: getattr(keras, part) for part in ("activations", "layers", "ops")},
        }
        inputs.append(x)
        outputs.append(eval(FUNCTIONS[name].keras, scope))  # noqa: S307  # it stands above
    keras.Model(inputs, outputs).save(path)


def decibels(graph: Graph, limit: float) -> list[float]:
    """Signal to error of every output of the int8 graph, written to a file and read again."""
    samples = [spread(limit, graph.tensor(name).shape) for name in graph.inputs]
    quantized = quantize_graph(graph, calibrate(graph, samples, MinMax), Scheme())
    prepared = prepare_for_device(read_tflite(write_tflite(quantized), graph.name))
    inputs = [
        quantize(array, prepared.tensor(name).per_tensor)
        for array, name in zip(samples, prepared.inputs, strict=True)
    ]
    results = zip(
        prepared.outputs, run_reference(prepared, inputs), run_float(graph, samples), strict=True
    )
    return [
        signal_to_error(real, dequantize(got, prepared.tensor(name).per_tensor))
        for name, got, real in results
    ]


def spread(limit: float, shape: Sequence[int]) -> Array:
    """The same samples every time, float32 (SAMPLES, *shape), in the order of ``shape``."""
    drawn = np.random.default_rng(SEED).uniform(-limit, limit, (SAMPLES, *SHAPE))
    ordered = drawn if tuple(shape) == SHAPE else np.moveaxis(drawn, 2, -1)
    return ordered.astype(np.float32)


def signal_to_error(real: Array, got: Array) -> float:
    """Decibels of the squares' sums."""
    error = real.astype(np.float64) - got
    return float(10 * np.log10(np.square(real.astype(np.float64)).sum() / np.square(error).sum()))


if __name__ == "__main__":
    main(sys.argv[1:])
