import json

import pytest

from tinyml.errors import InputError
from tinyml.search.journal import Journal
from tinyml.search.layers import Ranking
from tinyml.search.trial import Outcome

MADE, REFUSED = Outcome(flash_bytes=10, ram_bytes=20, agreement=0.5), Outcome(refused="no kernel")
OPTIONS = {"options": ["--observer", "mse"]}


def test_a_journal_gives_back_what_was_added(tmp_path):
    path = tmp_path / "new" / "j.jsonl"
    journal = Journal(path)
    journal.add("a", OPTIONS, MADE)
    journal.add("b", {"options": []}, REFUSED)

    assert Journal(path).outcomes == {"a": MADE, "b": REFUSED} == journal.outcomes
    assert json.loads(path.read_text().splitlines()[0])["options"] == ["--observer", "mse"]


def test_the_order_of_layers_is_kept_too(tmp_path):
    path, ranking = tmp_path / "j.jsonl", Ranking(narrow=("a", "b"), wide=("b",))
    Journal(path).add_ranking("r", ranking)

    assert Journal(path).rankings == {"r": ranking}
    assert Journal(path).outcomes == {}


@pytest.mark.parametrize("length", [1, 30, -1])
def test_a_line_that_was_written_in_part_is_taken_out(tmp_path, length):
    path = tmp_path / "j.jsonl"
    Journal(path).add("a", OPTIONS, MADE)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:length])

    journal = Journal(path)
    journal.add("b", OPTIONS, REFUSED)

    assert Journal(path).outcomes == {"a": MADE, "b": REFUSED}
    assert len(path.read_bytes().splitlines()) == 2


def test_lines_of_other_searches_stay(tmp_path):
    path = tmp_path / "j.jsonl"
    Journal(path).add("other", OPTIONS, MADE)
    Journal(path).add("own", OPTIONS, MADE)

    assert set(Journal(path).outcomes) == {"other", "own"}


@pytest.mark.parametrize(
    "line",
    [
        '{"fingerprint": "a", "ranking": 3}',
        "nonsense",
        "3",
        "[]",
        "{}",
        '{"fingerprint": 1, "outcome": {}}',
        '{"fingerprint": "a"}',
    ],
)
def test_a_file_that_is_no_journal_is_refused_and_left_as_it_is(tmp_path, line):
    path = tmp_path / "j.jsonl"
    path.write_text(line + "\n")

    with pytest.raises(InputError, match="line 1 of the journal"):
        Journal(path)
    assert path.read_text() == line + "\n"


def test_text_that_is_no_utf8_is_refused(tmp_path):
    path = tmp_path / "j.jsonl"
    path.write_bytes(b"\xff\xfe\x00\n")

    with pytest.raises(InputError, match="line 1 of the journal"):
        Journal(path)


def test_a_folder_is_no_journal(tmp_path):
    with pytest.raises(InputError, match="is a folder"):
        Journal(tmp_path)
