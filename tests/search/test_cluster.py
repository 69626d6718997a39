"""Trials on a Dask cluster that the test starts: a scheduler, and a worker's own process."""

import socket
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from distributed import LocalCluster
from graphs import small_float

from tinyml.data.dataset import Dataset
from tinyml.errors import InputError, ToolchainError
from tinyml.quantize.recipe import Recipe
from tinyml.quantize.scheme import Scheme
from tinyml.search.journal import Journal
from tinyml.search.runners import on_cluster
from tinyml.search.search import make_problem, run_trials
from tinyml.search.trial import Problem, try_recipe

pytestmark = pytest.mark.xdist_group("dask")

RECIPES = [Recipe(), Recipe(scheme=Scheme(per_channel=False))]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with LocalCluster(n_workers=1, threads_per_worker=2, dashboard_address=None) as cluster:
        yield cluster.scheduler_address


def problem() -> Problem:
    samples = np.random.default_rng(0).uniform(-1, 1, (12, 6, 6, 2)).astype(np.float32)
    return make_problem(small_float(), Dataset(samples), Dataset(samples, np.arange(12) % 3))


def test_trials_on_a_cluster_have_the_same_outcomes(tmp_path, address):
    posed, seen = problem(), []

    trials = run_trials(
        posed, RECIPES, Journal(tmp_path / "j.jsonl"), on_cluster(address), seen.append
    )

    assert [trial.outcome for trial in trials] == [try_recipe(posed, each) for each in RECIPES]
    assert seen == [0, 1, 2]
    assert len(Journal(tmp_path / "j.jsonl").outcomes) == 2


@pytest.mark.parametrize("wrong", ["nonsense", "tcp://127.0.0.1", "tcp://127.0.0.1:99999999"])
def test_an_address_without_a_scheduler_is_refused(wrong):
    with pytest.raises(InputError, match="no Dask scheduler answers at"):
        list(on_cluster(wrong)(problem(), RECIPES))


def test_a_port_at_which_nobody_listens_is_refused():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    with pytest.raises(InputError, match=f"no Dask scheduler answers at 'tcp://127.0.0.1:{port}'"):
        list(on_cluster(f"tcp://127.0.0.1:{port}")(problem(), RECIPES))


def test_without_dask_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)

    with pytest.raises(ToolchainError, match=r"pip install 'tinyml\[search\]'"):
        list(on_cluster("tcp://127.0.0.1:8786")(problem(), RECIPES))
