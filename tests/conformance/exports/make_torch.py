"""Exports small PyTorch models with one of its two exporters.

python make_torch.py FOLDER torchscript|dynamo MODEL...
"""

import sys
from pathlib import Path

import onnx
import torch
from torch import nn


class Recurrent(nn.Module):
    def __init__(self, kind, *, both=False):
        super().__init__()
        self.layer = kind(5, 6, batch_first=True, bidirectional=both)
        self.last = nn.Linear(12 if both else 6, 3)

    def forward(self, x):
        return self.last(self.layer(x)[0][:, -1])


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.mixed = nn.MultiheadAttention(8, 2, batch_first=True)
        self.normal, self.last = nn.LayerNorm(8), nn.Linear(8, 3)

    def forward(self, x):
        return self.last(self.normal(x + self.mixed(x, x, x, need_weights=False)[0]).mean(1))


class Squeezed(nn.Module):
    """A squeeze-and-excitation block with the functions of MobileNetV3."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.down, self.up = nn.Conv2d(8, 4, 1), nn.Conv2d(4, 8, 1)

    def forward(self, x):
        x = nn.functional.hardswish(self.first(x))
        weights = nn.functional.adaptive_avg_pool2d(x, 1)
        weights = self.up(torch.relu(self.down(weights)))
        return (x * nn.functional.hardsigmoid(weights)).mean((2, 3))


class Several(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(2, 4, 3), nn.Linear(64, 7)

    def forward(self, a, b):
        x = self.second(self.first(a).flatten(1))
        return torch.cat([x, b], 1), x * b, b - x


def image():
    return nn.Sequential(
        *(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU()),
        *(nn.Conv2d(8, 8, 3, groups=8, stride=2, padding=1), nn.ReLU6(), nn.Conv2d(8, 10, 1)),
        *(nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(10, 5), nn.Softmax(-1)),
    )


def rows():
    return nn.Sequential(
        *(nn.Conv1d(4, 6, 3, padding=1), nn.ReLU(), nn.Conv1d(6, 6, 3, dilation=2)),
        *(nn.AvgPool1d(2), nn.Flatten(), nn.Linear(48, 4), nn.Sigmoid()),
    )


MODELS = {
    "image": (image, [(1, 3, 12, 12)]),
    "rows": (rows, [(1, 4, 20)]),
    "squeezed": (Squeezed, [(1, 3, 8, 8)]),
    "several": (Several, [(1, 2, 6, 6), (1, 7)]),
    "attention": (Attention, [(1, 6, 8)]),
    "lstm": (lambda: Recurrent(nn.LSTM), [(1, 4, 5)]),
    "lstm_both_ways": (lambda: Recurrent(nn.LSTM, both=True), [(1, 3, 5)]),
    "gru": (lambda: Recurrent(nn.GRU), [(1, 4, 5)]),
    "functions": (
        lambda: nn.Sequential(nn.Linear(8, 8), nn.GELU(), nn.Linear(8, 8), nn.Mish(), nn.SiLU()),
        [(1, 8)],
    ),
    "groups": (
        lambda: nn.Sequential(nn.Conv2d(3, 8, 3), nn.GroupNorm(2, 8), nn.PReLU(8)),
        [(1, 3, 8, 8)],
    ),
    "transposed": (
        lambda: nn.Sequential(nn.ConvTranspose2d(4, 5, 3, 2, 1, 1), nn.Upsample(scale_factor=2)),
        [(1, 4, 5, 6)],
    ),
}


def without_traces(path):
    """Leave out where in which file each node was made."""
    model = onnx.load(path)
    for part in (model, model.graph, *model.graph.node, *model.graph.value_info):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    onnx.save(model, path)


WAYS = {"torchscript": {"dynamo": False, "opset_version": 17}, "dynamo": {"dynamo": True}}


def main():
    folder, way = Path(sys.argv[1]), sys.argv[2]
    version = torch.__version__.split("+")[0]
    for name in sys.argv[3:]:
        torch.manual_seed(0)
        build, shapes = MODELS[name]
        inputs = tuple(torch.randn(*shape) for shape in shapes)
        path = folder / f"torch-{version}-{name}.{way}.onnx"
        torch.onnx.export(build().eval(), inputs, path, external_data=False, **WAYS[way])
        without_traces(path)


if __name__ == "__main__":
    main()
