"""Training a quantization-aware model: the loop, early stopping, and what is kept of an interrupt.

TensorFlow is imported inside functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinyml.data.dataset import Dataset
from tinyml.errors import InputError, InterruptedTrainingError, ModelError
from tinyml.ir.graph import Array
from tinyml.train.interrupts import remembered_interrupts
from tinyml.train.numbers import in_numpy
from tinyml.train.objective import Imitation, Objective, before_softmax, cross_entropy
from tinyml.train.qat import qat_layer
from tinyml.train.state import (
    Progress,
    TrainingState,
    fingerprint,
    read_state,
    refuse_other_file,
    write_state,
)

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
    writes, and that the caller removes when the outcome is safe; with ``resume`` training goes on
    from it, to the same numbers that it had without an interrupt. ``on_epoch`` is given the epochs
    done and the held-out loss.

    Raises:
        InputError: the labels are no classes of the model's, there are too few samples, ``state``
            is of another training or no state at all, or the loss became NaN: the model keeps its
            best numbers then.
        ModelError: the model has nothing that could be trained.
        InterruptedTrainingError: on an interrupt; the message says how to go on.
    """
    run = _Run(model, data, tuning)
    key = fingerprint(run.layer, data, tuning)
    if state is not None and not resume:
        refuse_other_file(state)
    if resume and state is not None:
        progress = run.go_on(read_state(state, key))
    else:
        progress = Progress([run.held_out_loss()], run.variables())
    saved = progress.epoch
    try:
        with remembered_interrupts() as check:
            while not _is_done(progress, tuning, run.layer):
                loss = run.train_epoch(progress.epoch, check)
                _check_loss(loss, progress.epoch, tuning)
                progress.add(loss, run.variables())
                if state is not None:
                    write_state(state, key, run.state(progress))
                    saved = progress.epoch
                if on_epoch:
                    on_epoch(progress.epoch, loss)
                check()
    except KeyboardInterrupt as error:
        raise _interrupted(progress.epoch, saved, tuning, state) from error
    finally:
        run.restore(progress.best)
    return TuneResult(
        loss=run.objective.name,
        losses=tuple(progress.losses),
        kept=progress.kept,
        samples=len(run.training),
        held_out=len(run.held_out),
    )


def _is_done(progress: Progress, tuning: Tuning, layer: Any) -> bool:
    """Whether all epochs are over, or nothing got better for long enough with ranges that stand."""
    stands_still = progress.epoch - progress.kept >= tuning.patience
    is_frozen = layer.is_frozen or _freezes(tuning, progress.epoch - 1)
    return progress.epoch >= tuning.epochs or (stands_still and is_frozen)


def _freezes(tuning: Tuning, epoch: int) -> bool:
    """Whether activations' ranges stand still in an epoch, counted from 0."""
    return 2 * epoch >= tuning.epochs


def _check_loss(loss: float, epoch: int, tuning: Tuning) -> None:
    if not np.isfinite(loss):
        raise InputError(
            f"the loss became {loss} in epoch {epoch + 1}, expected a number: training diverged at "
            f"a learning rate of {tuning.learning_rate:g}; try {tuning.learning_rate / 10:g}"
        )


def _interrupted(
    epoch: int, saved: int, tuning: Tuning, state: Path | None
) -> InterruptedTrainingError:
    """Say what is kept, ``saved`` epochs of ``epoch``, and how to go on."""
    where = f"after {epoch} of {tuning.epochs} epochs"
    if state is None or not saved:
        return InterruptedTrainingError(f"training was interrupted {where}; nothing is written")
    return InterruptedTrainingError(
        f"training was interrupted {where}; the state after epoch {saved} is kept in '{state}': go "
        "on with the same command and --resume"
    )


class _Run:
    """A model, its data, and the steps of training."""

    def __init__(self, model: Any, data: Dataset, tuning: Tuning) -> None:
        import keras

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
        if not self.layer.trainable_variables:
            raise ModelError(
                f"model '{model.name}' has no weights, expected some to train; quantize it without "
                "--qat"
            )
        self._optimizer = keras.optimizers.Adam(schedule)
        self._optimizer.build(self.layer.trainable_variables)
        self.objective = self._objective()
        self._compile()

    def _objective(self) -> Objective:
        graph = self.layer.prepared.graph
        labels = cross_entropy(graph, self._data)
        if labels is not None:
            return labels
        wanted = before_softmax(graph)
        parts = [
            self.layer.float_tensors(inputs, wanted)
            for _, inputs in self._batches(np.arange(len(self._data)), LARGE_BATCH)
        ]
        return Imitation(
            wanted,
            tuple(np.concatenate([in_numpy(part[name]) for part in parts]) for name in wanted),
        )

    def _compile(self) -> None:
        """Trace anew: whether ranges are frozen is part of a trace."""
        import tensorflow as tf

        self._train_step = tf.function(self._step, reduce_retracing=True, autograph=False)
        self._loss_of = tf.function(self._loss, reduce_retracing=True, autograph=False)

    def _batches(self, samples: Array, size: int) -> Iterator[tuple[Array, list[Array]]]:
        """Some of these samples at a time: which they are, and the inputs."""
        for start in range(0, len(samples), size):
            chosen = samples[start : start + size]
            yield chosen, [array[chosen] for array in self._data.samples]

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

    def train_epoch(self, epoch: int, check: Callable[[], None]) -> float:
        """Take every training sample once, in an order that the seed and the epoch give.

        ``check`` is called before each step. The held-out loss thereafter.
        """
        if not self.layer.is_frozen and _freezes(self._tuning, epoch):
            self.layer.is_frozen = True
            self._compile()
        generator = np.random.default_rng((self._tuning.seed, epoch))
        order = generator.permutation(self.training)
        for chosen, inputs in self._batches(order, self._tuning.batch_size):
            check()
            self._train_step(inputs, self.objective.targets(chosen))
        return self.held_out_loss()

    def held_out_loss(self) -> float:
        """Mean loss of the samples that are held out."""
        total = 0.0
        for chosen, inputs in self._batches(self.held_out, LARGE_BATCH):
            total += float(self._loss_of(inputs, self.objective.targets(chosen))) * len(chosen)
        return total / len(self.held_out)

    # ------------------------------------------------------------------ state

    def variables(self) -> list[Array]:
        """All numbers of the layer."""
        return [in_numpy(variable) for variable in self.layer.variables]

    def restore(self, values: list[Array]) -> None:
        """Give the layer the numbers that ``variables`` gave."""
        _assign(self.layer.variables, values)

    def state(self, progress: Progress) -> TrainingState:
        """Where training stands, to go on from with the same numbers."""
        return TrainingState(
            losses=progress.losses,
            now=self.variables(),
            best=progress.best,
            optimizer=[in_numpy(variable) for variable in self._optimizer.variables],
        )

    def go_on(self, state: TrainingState) -> Progress:
        """Go back to where training stood."""
        self.restore(state.now)
        _assign(self._optimizer.variables, state.optimizer)
        return Progress(losses=state.losses, best=state.best)


def _assign(variables: Iterable[Any], values: Iterable[Array]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
