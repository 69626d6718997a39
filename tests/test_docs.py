"""Holds README.md and docs/ to the truth: commands, files, names, pictures of code."""

import doctest
import importlib
import importlib.util
import os
import re
import shlex
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click
import pytest
from graphs import activation, fully_connected, int8_weights, int32_bias, make_graph, reshape
from modules import module_of

from tinyml.cli import boards, cli
from tinyml.firmware.boards import list_boards, load_board
from tinyml.ops.contract.c import Isa
from tinyml.ops.contract.registry import operators_by_opcode
from tinyml.report.operators import HEADINGS, operator_rows

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
OPERATORS = ROOT / "docs" / "operators.md"
PAGES = sorted([README, *(ROOT / "docs").glob("*.md")])
LONGEST_ARCHITECTURE = 120

FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^(?: {4}.*\n)+", re.MULTILINE)
INLINE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
# Folders of the repository, with which the path of a file of ours begins.
FOLDERS = "|".join(sorted(re.escape(path.name) for path in ROOT.iterdir() if path.is_dir()))
PATH = re.compile(rf"(?:{FOLDERS})/[\w./-]*\w")
BUILT = ("build/", ".venv/")  # what commands make is not in the repository


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


every_page = pytest.mark.parametrize("page", PAGES, ids=name_of)


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(page: Path, language: str) -> list[str]:
    return [body for kind, body in FENCED.findall(text_of(page)) if kind == language]


def spans(page: Path) -> list[str]:
    """Code within a line, outside of blocks."""
    return INLINE.findall(FENCED.sub("", text_of(page)))


def table_below(page: Path, head: str) -> list[str]:
    """First cells of the rows of the table whose head begins so."""
    rows = text_of(page).partition(f"\n| {head} |")[2].splitlines()[2:]
    count = next(number for number, row in enumerate(rows) if not row.startswith("|"))
    return [row.split("|")[1].strip(" `") for row in rows[:count]]


# --------------------------------------------------------------------------- commands


def command_lines(page: Path) -> Iterator[list[str]]:
    """Whole command lines: those that stand in blocks of code."""
    code = [body for _, body in FENCED.findall(text_of(page))]
    code += INDENTED.findall(FENCED.sub("", text_of(page)))
    for line in "\n".join(code).replace("\\\n", " ").splitlines():
        found = re.match(r"\s*(?:\$ )?(?:\.venv/bin/)?tinyml (?=[a-z])([^|>#]*)", line)
        if found:
            yield shlex.split(found[1])


def command_named(name: str) -> click.Command:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None, f"there is no command 'tinyml {name}'"
    return command


def option_names(command: click.Command) -> set[str]:
    return {name for parameter in command.params for name in parameter.opts} | {"--help"}


@every_page
def test_every_command_line_in_a_block_parses(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, *arguments in command_lines(page):
        if not any(argument.isupper() for argument in arguments):  # 'MODEL' is a signature
            command_named(name).make_context(name, arguments)


@every_page
def test_every_command_and_option_named_in_the_text_exists(page):
    mentioned = [s for s in spans(page) if re.match(r"(?:\.venv/bin/)?tinyml [a-z]", s)]
    for mention in [*mentioned, *(f"tinyml {shlex.join(line)}" for line in command_lines(page))]:
        command = command_named(mention.split()[1])
        options = re.findall(r"(?<![\w-])--?[a-z][\w-]*", mention)

        assert set(options) <= option_names(command), mention


@every_page
def test_every_make_target_in_a_page_exists(page):
    targets = re.findall(r"^([a-z]+):", text_of(ROOT / "Makefile"), re.MULTILINE)
    named = re.findall(r"(?:^|`)make ([a-z]+)", text_of(page), re.MULTILINE)

    assert set(named) <= set(targets)


# --------------------------------------------------------------------------- files and names


@every_page
def test_every_file_a_page_names_exists(page):
    code = [*spans(page), *blocks(page, "sh"), *INDENTED.findall(text_of(page))]
    named = {path for text in code for path in PATH.findall(text)}
    ours = {path for path in named if not path.startswith(BUILT) and "NAME" not in path}

    assert [path for path in sorted(ours) if not (ROOT / path).exists()] == []


@every_page
def test_every_relative_link_leads_to_a_file_and_a_heading(page):
    for link in LINK.findall(text_of(page)):
        if "://" in link:
            continue
        path, _, heading = link.partition("#")
        target = (page.parent / path).resolve() if path else page

        assert target.exists(), link
        assert not heading or heading in anchors(target), link


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@every_page
def test_every_kernel_a_page_names_is_called(page):
    folders = [
        *(ROOT / "tinyml" / "ops").rglob("*.py"),
        *(ROOT / "tinyml" / "kernels").glob("*.py"),
    ]
    sources = [*folders, *(ROOT / "firmware").rglob("*.[ch]")]
    code = "\n".join(text_of(source) for source in sources)
    kernels = {s for s in spans(page) if re.fullmatch(r"(arm|tinyml)_\w*[a-z0-9]", s)}

    assert [kernel for kernel in sorted(kernels) if kernel not in code] == []


def test_the_page_on_operators_says_of_exactly_the_supported_ones_what_they_take():
    listed = ", ".join(table_below(OPERATORS, "operator | what it takes")).split(", ")

    assert sorted(listed) == sorted(operators_by_opcode())


def test_the_page_on_operators_has_the_table_of_the_command():
    check_table(OPERATORS, HEADINGS, operator_rows())


def test_the_readme_has_the_table_of_boards_that_the_command_prints():
    check_table(README, boards.HEADINGS, [boards.cells(load_board(name)) for name in list_boards()])


def check_table(page: Path, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Hold the page's table of these headings to ``rows``, or write them if that is asked for."""
    head, *lines = (
        f"| {' | '.join(row)} |\n" for row in (headings, ["---"] * len(headings), *rows)
    )
    before, _, rest = text_of(page).partition(f"\n{head}")
    after = re.sub(r"\A(?:\|.*\n)*", "", rest)
    expected = "".join([before, "\n", head, *lines, after])
    if os.environ.get("TINYML_UPDATE_GOLDEN"):
        page.write_text(expected, encoding="utf-8")

    assert text_of(page) == expected


def test_the_arithmetic_of_every_operator_is_written_down():
    page = text_of(ROOT / "docs" / "numerics.md")

    assert [opcode for opcode in operators_by_opcode() if opcode not in page] == []


def test_the_architecture_fits_on_a_page():
    lines = text_of(ROOT / "docs" / "architecture.md").splitlines()

    assert len(lines) <= LONGEST_ARCHITECTURE


def test_every_folder_of_the_package_is_in_the_architecture():
    page = text_of(ROOT / "docs" / "architecture.md")
    parts = {path.parent.relative_to(ROOT) for path in (ROOT / "tinyml").glob("*/__init__.py")}

    assert [part for part in sorted(parts) if f"`{part.as_posix()}/`" not in page] == []


def test_every_record_is_where_the_architecture_says():
    page = text_of(ROOT / "docs" / "architecture.md")
    rows = re.findall(r"^\| `(\w+)` \| `([\w/.]+)` \| `(\w+)` in `([\w/.]+)` \|$", page, re.M)

    assert len(rows) >= 8
    for record, record_file, function, function_file in rows:
        assert f"class {record}" in text_of(ROOT / record_file)
        assert f"def {function}(" in text_of(ROOT / function_file)


# --------------------------------------------------------------------------- code


@every_page
def test_every_session_of_python_gives_what_it_shows(page):
    result = doctest.testfile(str(page), module_relative=False)

    assert result.failed == 0


def test_the_main_of_the_readme_compiles_and_finds_the_likeliest_class(tmp_path, monkeypatch):
    (main,) = blocks(README, "c")
    weights = int8_weights("weights", (10, 64), axis=None)
    bias = int32_bias("bias", 1 / 255, weights, 10)
    tensors = [
        activation("image", (1, 8, 8, 1), 1 / 255, -128),
        activation("pixels", (1, 64), 1 / 255, -128),
        activation("scores", (1, 10), 0.01),
        weights,
        bias,
    ]
    ops = [
        reshape("pixels", "image", shape=(1, 64)),
        fully_connected("scores", "pixels", "weights", "bias"),
    ]
    graph = make_graph(tensors, ops, ["image"], ["scores"], "digits")
    module = module_of(graph, "digits", frozenset([Isa.SCALAR]))
    monkeypatch.syspath_prepend(str(ROOT / "tests" / "codegen"))
    program = importlib.import_module("host_program").build_program([module], main, tmp_path)

    likeliest = subprocess.run([program], check=False).returncode

    assert likeliest == bias.constant.argmax()  # of a picture of zeros
