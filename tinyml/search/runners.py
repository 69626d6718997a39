"""Where trials run: on the cores of this computer, or on a Dask cluster."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from tinyml.errors import DeviceError, InputError, TinymlError, ToolchainError
from tinyml.quantize.recipe import Recipe
from tinyml.search.trial import Outcome, Problem, try_recipe

# Seconds to wait for a cluster's scheduler.
PATIENCE = 10

# Gives each recipe's place and what came of it, in whatever order they finish.
Runner = Callable[[Problem, Sequence[Recipe]], Iterator[tuple[int, Outcome]]]


def on_cores(jobs: int) -> Runner:
    """Run ``jobs`` trials at a time, each in a process of its own; one alone runs in this one."""

    def run(problem: Problem, recipes: Sequence[Recipe]) -> Iterator[tuple[int, Outcome]]:
        import joblib

        parallel = joblib.Parallel(n_jobs=min(jobs, len(recipes)), return_as="generator_unordered")
        calls = (joblib.delayed(_numbered)(problem, n, recipe) for n, recipe in enumerate(recipes))
        for result in parallel(calls):
            yield _checked(result)

    return run


def on_cluster(address: str) -> Runner:
    """Run trials on the Dask cluster whose scheduler is at ``address``, as ``tcp://host:8786``.

    Its workers need tinyml and all that building takes. Raises InputError where no scheduler
    answers there, ToolchainError where Dask is not installed here or a worker fails.
    """

    def run(problem: Problem, recipes: Sequence[Recipe]) -> Iterator[tuple[int, Outcome]]:
        distributed = _distributed()
        with _client(distributed, address) as client:
            shared = client.scatter(problem, broadcast=True)
            futures = [
                client.submit(_numbered, shared, n, recipe, pure=False)
                for n, recipe in enumerate(recipes)
            ]
            for future in distributed.as_completed(futures, loop=client.loop):
                yield _checked(_result(future, address))

    return run


def _numbered(problem: Problem, number: int, recipe: Recipe) -> tuple[int, Outcome | str]:
    """What a process gives back; a failure goes as its message, for not all errors can be sent."""
    try:
        return number, try_recipe(problem, recipe)
    except TinymlError as error:
        return number, str(error)


def _checked(result: tuple[int, Outcome | str]) -> tuple[int, Outcome]:
    number, outcome = result
    if isinstance(outcome, str):
        raise ToolchainError(outcome)
    return number, outcome


def _distributed() -> Any:
    try:
        import distributed
    except ModuleNotFoundError:
        raise ToolchainError(
            "--dask needs the Python package distributed, which is not installed: pip install "
            "'tinyml[search]'"
        ) from None
    return distributed


def _client(distributed: Any, address: str) -> Any:
    """Connect, once it is known that somebody listens: a client that waits in vain ends badly."""
    try:
        place = urlsplit(address if "://" in address else f"tcp://{address}")
        socket.create_connection((place.hostname or "", place.port or 0), PATIENCE).close()
        return distributed.Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, TypeError, OverflowError):
        raise InputError(
            f"no Dask scheduler answers at '{address}', expected its address as in "
            "tcp://192.168.0.2:8786; start one with 'dask scheduler', or leave --dask out"
        ) from None


def _result(future: Any, address: str) -> tuple[int, Outcome | str]:
    error = future.exception()
    if error is None:
        result: tuple[int, Outcome | str] = future.result()
        return result
    raise DeviceError(
        f"a worker of the Dask cluster at '{address}' failed ({type(error).__name__}: {error}); "
        "it needs the same tinyml as this computer, and what 'tinyml doctor' lists"
    )
