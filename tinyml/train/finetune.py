"""Training a quantization-aware model: the loop, early stopping, and what is kept of an interrupt.

TensorFlow is imported inside functions.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tinyml.data.dataset import Dataset
from tinyml.errors import InputError, InterruptedTrainingError
from tinyml.files import atomic_path
from tinyml.ir.graph import Array
from tinyml.train.objective import Imitation, Objective, before_softmax, cross_entropy
from tinyml.train.qat import qat_layer

# Samples that are computed at once where nothing is trained.
LARGE_BATCH = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """How a quantization-aware model is trained.

    ``held_out`` is the share of the samples that training never sees: its loss picks the state that
    is kept, and training ends when it has not fallen for ``patience`` epochs. The learning rate
    falls to zero along a cosine. Activations' ranges follow the batches for the first half of the
    epochs, then they stand still (arXiv 1806.08342, section 3.2).
    """

    epochs: int = 10
    learning_rate: float = 1e-4
    batch_size: int = 32
    seed: int = 0
    held_out: float = 0.1
    patience: int = 3

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1:
            raise InputError(
                f"training is to have {self.epochs} epochs of batches of {self.batch_size}, "
                "expected 1 or more of both"
            )
        if not 0 < self.learning_rate < 1:
            raise InputError(
                f"the learning rate is {self.learning_rate}, expected more than 0 and less than 1; "
                "try 1e-4"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class TuneResult:
    """Held-out loss after each epoch, the first before any; ``kept`` is the epoch it fell to."""

    loss: str
    losses: tuple[float, ...]
    kept: int
    samples: int
    held_out: int


@dataclass(slots=True)
class _State:
    """Where training stands after an epoch: variables of layer and optimizer, and the best."""

    epoch: int = 0
    losses: list[float] = field(default_factory=list)
    best: list[Array] = field(default_factory=list)

    @property
    def kept(self) -> int:
        return int(np.argmin(self.losses))


def tune(
    model: Any,
    data: Dataset,
    tuning: Tuning,
    *,
    state: Path | None = None,
    resume: bool = False,
    on_epoch: Callable[[int, float], None] | None = None,
) -> TuneResult:
    """Train what ``prepare_qat`` made, and leave it in its best state.

    Cross-entropy where ``data`` has labels of classes, else the mean squared error against the
    float model's own outputs, in units of their variance. ``state`` is a file that each epoch
    writes and the end removes; with ``resume`` training goes on from it. ``on_epoch`` is given the
    epochs done and the held-out loss.

    Raises:
        InputError: the labels are no classes of the model's, there are too few samples, ``state``
            is of another training, or the loss became NaN: the model keeps its best state then.
        InterruptedTrainingError: on an interrupt; the message says how to go on.
    """
    run = _Run(model, data, tuning)
    progress = _State()
    if resume and state is not None:
        progress = run.load(state)
    if not progress.losses:
        progress.losses, progress.best = [run.held_out_loss()], run.variables()
    try:
        for epoch in range(progress.epoch, tuning.epochs):
            run.train_epoch(epoch)
            loss = run.held_out_loss()
            _check_loss(loss, epoch, tuning)
            progress.epoch = epoch + 1
            if loss < min(progress.losses):
                progress.best = run.variables()
            progress.losses.append(loss)
            if state is not None:
                run.save(state, progress)
            if on_epoch:
                on_epoch(progress.epoch, loss)
            if progress.epoch - progress.kept >= tuning.patience and run.layer.is_frozen:
                break
    except KeyboardInterrupt as error:
        raise _interrupted(progress, tuning, state) from error
    finally:
        run.restore(progress.best)
    if state is not None:
        state.unlink(missing_ok=True)
    return TuneResult(
        loss=run.objective.name,
        losses=tuple(progress.losses),
        kept=progress.kept,
        samples=len(run.training),
        held_out=len(run.held_out),
    )


def _check_loss(loss: float, epoch: int, tuning: Tuning) -> None:
    if not np.isfinite(loss):
        raise InputError(
            f"the loss became {loss} in epoch {epoch + 1} at a learning rate of "
            f"{tuning.learning_rate}; try --learning-rate {tuning.learning_rate / 10:g}"
        )


def _interrupted(progress: _State, tuning: Tuning, state: Path | None) -> InterruptedTrainingError:
    where = f"in epoch {progress.epoch + 1} of {tuning.epochs}"
    if state is None or not progress.epoch:
        return InterruptedTrainingError(f"training was interrupted {where}; nothing is written")
    return InterruptedTrainingError(
        f"training was interrupted {where}; the state after epoch {progress.epoch} is kept in "
        f"'{state}': go on with the same command and --resume"
    )


class _Run:
    """A model, its data, and the steps of training."""

    def __init__(self, model: Any, data: Dataset, tuning: Tuning) -> None:
        import keras
        import tensorflow as tf

        self.layer, self._data, self._tuning = qat_layer(model), data, tuning
        order = np.random.default_rng(tuning.seed).permutation(len(data))
        count = max(1, round(tuning.held_out * len(data)))
        if len(data) <= count:
            raise InputError(
                f"the data hold {len(data)} samples, expected 2 or more: some of them are held out"
            )
        self.held_out, self.training = np.sort(order[:count]), order[count:]
        self._steps = -(-len(self.training) // tuning.batch_size)
        schedule = keras.optimizers.schedules.CosineDecay(
            tuning.learning_rate, self._steps * tuning.epochs
        )
        self._optimizer = keras.optimizers.Adam(schedule)
        self._optimizer.build(self.layer.trainable_variables)
        self.objective = self._objective()
        self._function = tf.function
        self._compile()

    def _objective(self) -> Objective:
        graph = self.layer.prepared.graph
        labels = cross_entropy(graph, self._data)
        if labels is not None:
            return labels
        wanted = before_softmax(graph)
        parts = [
            self.layer.tensors(batch, wanted, training=False, floats=True)
            for batch in self._batches(np.arange(len(self._data)), LARGE_BATCH)
        ]
        return Imitation(
            wanted,
            tuple(np.concatenate([np.array(part[name]) for part in parts]) for name in wanted),
        )

    def _compile(self) -> None:
        """Trace anew: whether ranges are frozen is part of a trace."""
        self._train_step = self._function(self._step, reduce_retracing=True)
        self._loss_of = self._function(self._loss, reduce_retracing=True)

    def _batches(self, chosen: Array, size: int) -> Iterator[list[Array]]:
        for start in range(0, len(chosen), size):
            yield [array[chosen[start : start + size]] for array in self._data.samples]

    def _step(self, inputs: Any, targets: Any) -> Any:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            loss = self._loss(inputs, targets, training=True)
        variables = self.layer.trainable_variables
        self._optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    def _loss(self, inputs: Any, targets: Any, *, training: bool = False) -> Any:
        wanted = self.objective.wanted
        values = self.layer.tensors(inputs, wanted, training=training)
        return self.objective.loss([values[name] for name in wanted], targets)

    def train_epoch(self, epoch: int) -> None:
        """Take every training sample once, in an order that the seed and the epoch give."""
        if not self.layer.is_frozen and 2 * epoch >= self._tuning.epochs:
            self.layer.is_frozen = True
            self._compile()
        generator = np.random.default_rng((self._tuning.seed, epoch))
        order, size = generator.permutation(self.training), self._tuning.batch_size
        for start, batch in zip(
            range(0, len(order), size), self._batches(order, size), strict=True
        ):
            self._train_step(batch, self.objective.targets(order[start : start + size]))

    def held_out_loss(self) -> float:
        """Mean loss of the samples that are held out."""
        total, size = 0.0, LARGE_BATCH
        for start, batch in zip(
            range(0, len(self.held_out), size), self._batches(self.held_out, size), strict=True
        ):
            chosen = self.held_out[start : start + size]
            total += float(self._loss_of(batch, self.objective.targets(chosen))) * len(chosen)
        return total / len(self.held_out)

    # ------------------------------------------------------------------ state

    def variables(self) -> list[Array]:
        """All numbers of the layer."""
        return [np.array(variable) for variable in self.layer.variables]

    def restore(self, values: list[Array]) -> None:
        """Give the layer the numbers that ``variables`` gave."""
        for variable, value in zip(self.layer.variables, values, strict=True):
            variable.assign(value)

    def _fingerprint(self) -> str:
        """Of what must be the same for training to go on: the layer, the data, the options."""
        digest = hashlib.sha256(repr(self._tuning).encode())
        digest.update(repr([(v.path, v.shape) for v in self.layer.variables]).encode())
        for array in (*self._data.samples, self._data.labels):
            if array is not None:
                digest.update(repr((array.shape, array.dtype)).encode())
                digest.update(np.ascontiguousarray(array[:: max(1, len(array) // 64)]).tobytes())
        return digest.hexdigest()

    def save(self, path: Path, progress: _State) -> None:
        """Write where training stands."""
        groups = {
            "now": self.variables(),
            "best": progress.best,
            "optimizer": [np.array(variable) for variable in self._optimizer.variables],
        }
        arrays = {f"{kind}_{i}": v for kind, values in groups.items() for i, v in enumerate(values)}
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            np.savez(
                file,
                fingerprint=np.array(self._fingerprint()),
                losses=np.array(progress.losses),
                **arrays,
            )

    def load(self, path: Path) -> _State:
        """Go back to where training stood. Raises InputError where the file is of another."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
        except FileNotFoundError:
            raise InputError(
                f"there is no state '{path}' to go on from; leave --resume out to start anew"
            ) from None
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise InputError(
                f"'{path}' cannot be read as the state of a training; leave --resume out to start "
                "anew"
            ) from error
        if str(arrays.get("fingerprint")) != self._fingerprint():
            raise InputError(
                f"'{path}' is the state of another training: model, data or options differ; give "
                "the same, or leave --resume out to start anew"
            )

        def numbers(kind: str) -> list[Array]:
            count = sum(name.startswith(f"{kind}_") for name in arrays)
            return [arrays[f"{kind}_{index}"] for index in range(count)]

        self.restore(numbers("now"))
        for variable, value in zip(self._optimizer.variables, numbers("optimizer"), strict=True):
            variable.assign(value)
        losses = [float(loss) for loss in arrays["losses"]]
        return _State(epoch=len(losses) - 1, losses=losses, best=numbers("best"))
