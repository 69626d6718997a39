"""A C module as a folder of sources that any build system takes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from tinyml.codegen.module import CModule
from tinyml.files import StrPath, as_path, atomic_directory
from tinyml.firmware import firmware_dir

INCLUDE = re.compile(r'^#include "(\w+\.h)"', re.MULTILINE)


def write_module(module: CModule, directory: StrPath) -> list[Path]:
    """Write the C of a model, with the tinyml kernels it calls, into ``directory``."""
    directory = as_path(directory)
    kernels = firmware_dir() / "kernels"
    texts = dict(module.files)
    for file in module.kernels:
        texts[file] = (kernels / file).read_text(encoding="utf-8")
    for header in _included(texts.values(), kernels):
        texts[header] = (kernels / header).read_text(encoding="utf-8")
    with atomic_directory(directory) as folder:
        for file, text in texts.items():
            (folder / file).write_text(text, encoding="utf-8")
    return [directory / file for file in texts]


def _included(texts: Iterable[str], folder: Path) -> list[str]:
    """Headers of ``folder`` that these include, and that those include, by name."""
    found: set[str] = set()
    ahead = list(texts)
    while ahead:
        for name in INCLUDE.findall(ahead.pop()):
            if name not in found and (folder / name).is_file():
                found.add(name)
                ahead.append((folder / name).read_text(encoding="utf-8"))
    return sorted(found)
