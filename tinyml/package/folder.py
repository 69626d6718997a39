"""A C module as a folder of sources that any build system takes."""

from __future__ import annotations

from pathlib import Path

from tinyml.codegen.module import CModule
from tinyml.files import StrPath, as_path, atomic_directory
from tinyml.firmware import firmware_dir


def write_module(module: CModule, directory: StrPath) -> list[Path]:
    """Write the C of a model, with the tinyml kernels it calls, into ``directory``."""
    directory = as_path(directory)
    kernels = firmware_dir() / "kernels"
    texts = dict(module.files)
    if module.kernels:
        headers = sorted(path.name for path in kernels.glob("*.h"))
        for file in (*headers, *module.kernels):
            texts[file] = (kernels / file).read_text(encoding="utf-8")
    with atomic_directory(directory) as folder:
        for file, text in texts.items():
            (folder / file).write_text(text, encoding="utf-8")
    return [directory / file for file in texts]
