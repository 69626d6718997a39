"""Imports go one way. This table is the rule: a part may import from the rows above its own."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

LAYERS = (
    {"errors"},
    {"arguments", "files", "ir", "malformed"},
    {"numerics"},
    {"ops", "data"},
    {"kernels"},
    {"passes"},
    {"export", "plan", "runtime"},
    {"quantize"},
    {"frontend", "codegen"},
    {"firmware"},
    {"pipeline", "package", "device"},
    {"evaluate", "flash"},
    {"report"},
    {"search"},
    {"train"},
    {"cli"},
    {"__init__", "__main__"},  # the package's face: it may import anything
)
# Anyone may name the version; nothing else is in tinyml/__init__.py that a part needs.
VERSION = "__version__"

# What a graph is and means stands on numpy alone: no file format, no command line.
CORE = {"errors", "files", "ir", "numerics", "ops", "kernels", "data"}
CORE_LIBRARIES = {"numpy", "tinyml", *sys.stdlib_module_names}

# Seconds to start and noise on stderr: only here, and only inside functions.
TENSORFLOW = {"tensorflow", "keras", "tf_keras"}
MAY_IMPORT_TENSORFLOW = ("frontend/keras/", "train/")

# Made for those that import it inside functions: a layer is a class of Keras', so it starts it.
ON_TENSORFLOW = {"train/fake_quantization.py", "train/qat_layer.py", "train/scales.py"}

PACKAGE = Path(__file__).parents[1] / "tinyml"
FILES = sorted(PACKAGE.rglob("*.py"))


def rank(part: str) -> int:
    return next(row for row, parts in enumerate(LAYERS) if part in parts)


def part_of(file: Path) -> str:
    """The folder or file directly below tinyml/ that ``file`` belongs to."""
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(tree: ast.AST) -> Iterator[str]:
    """Dotted names of all that ``tree`` imports, inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from (f"{module}.{alias.name}" for alias in node.names)


def imported_parts(file: Path) -> set[str]:
    names = (name.split(".") for name in imports(ast.parse(file.read_text(encoding="utf-8"))))
    return {path[1] for path in names if path[0] == "tinyml" and len(path) > 1} - {VERSION}


def libraries(tree: ast.AST) -> set[str]:
    return {name.split(".")[0] for name in imports(tree)}


def outside_functions(tree: ast.Module) -> ast.Module:
    """The module's own statements, without functions, classes and blocks for type checkers."""
    kept = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom | ast.Try)]
    return ast.Module(body=kept, type_ignores=[])


def name(file: Path) -> str:
    return file.relative_to(PACKAGE).as_posix()


def test_every_part_of_the_package_has_a_place_in_the_table():
    assert {part_of(file) for file in FILES} <= set().union(*LAYERS)


@pytest.mark.parametrize("part", sorted({part_of(file) for file in FILES} - LAYERS[-1]))
def test_a_part_imports_only_from_the_rows_above_its_own(part):
    upward = {
        f"{name(file)} imports {imported}"
        for file in FILES
        if part_of(file) == part
        for imported in imported_parts(file) - {part}
        if rank(imported) >= rank(part)
    }

    assert upward == set()


@pytest.mark.parametrize("part", sorted(CORE))
def test_the_core_stands_on_numpy_alone(part):
    files = [file for file in FILES if part_of(file) == part]

    used = set().union(*(libraries(ast.parse(file.read_text(encoding="utf-8"))) for file in files))

    assert used <= CORE_LIBRARIES


def test_tensorflow_is_imported_where_keras_is_read_or_trained_and_inside_functions():
    trees = {name(file): ast.parse(file.read_text(encoding="utf-8")) for file in FILES}

    importing = {file for file, tree in trees.items() if libraries(tree) & TENSORFLOW}
    at_start = {
        file for file, tree in trees.items() if libraries(outside_functions(tree)) & TENSORFLOW
    }

    assert {file for file in importing if not file.startswith(MAY_IMPORT_TENSORFLOW)} == set()
    assert importing
    assert at_start == ON_TENSORFLOW


def test_help_starts_without_numpy_and_tensorflow():
    code = """
import sys
from tinyml.cli import main
try:
    main(["--help"])
finally:
    print("loaded:", *sorted({"numpy", "onnx", "tensorflow", "keras"} & set(sys.modules)))
"""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert result.stdout.splitlines()[-1] == "loaded:"
