"""Writing results so that a reader never sees half of one.

Everything is first written under a temporary name in the target's own folder and then renamed:
a run that fails or is interrupted leaves the previous file, or none.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tinyml.errors import InputError

StrPath = str | os.PathLike[str]


def as_path(path: StrPath) -> Path:
    """Give a path as pathlib has it. Raises InputError where it is none."""
    try:
        return Path(path)
    except TypeError:
        raise InputError(
            f"{path!r} is no path but of type {type(path).__name__}, expected text or a Path"
        ) from None


def atomic_write(path: Path, data: bytes | str) -> None:
    """Write all of ``data`` to ``path`` or nothing; text is encoded as UTF-8 as it is.

    Missing parent folders are created.

    Raises:
        InputError: the operating system refuses (no permission, a folder is there, disk full).
    """
    with atomic_path(path) as temporary, reporting_os_errors(path):
        temporary.write_bytes(data.encode() if isinstance(data, str) else data)


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path`` that becomes ``path`` when the block succeeds.

    For writers that want a file name (Keras, ``numpy.savez``, ``objcopy``). The temporary path has
    the same suffix as ``path`` and does not exist yet. Where the block raises, it is removed.

    Raises:
        InputError: the operating system refuses to create the folder or the file.
    """
    with reporting_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError
        folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        temporary = folder / path.name
        yield temporary
        with reporting_os_errors(path):
            temporary.replace(path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def atomic_directory(path: Path) -> Iterator[Path]:
    """Give an empty temporary folder whose files move into ``path`` when the block succeeds.

    Files of the same name are replaced; other files that were in ``path`` stay. Where the block
    raises, ``path`` is as it was before.

    Raises:
        InputError: the operating system refuses to create the folder or a file.
    """
    with reporting_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_dir():
            raise NotADirectoryError
        folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        yield folder
        with reporting_os_errors(path):
            _move_files(folder, path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _move_files(source: Path, target: Path) -> None:
    """Move every file below ``source`` to the same place below ``target``."""
    target.mkdir(exist_ok=True)
    for file in sorted(source.rglob("*")):
        destination = target / file.relative_to(source)
        if file.is_dir():
            destination.mkdir(parents=True, exist_ok=True)
            continue
        destination.parent.mkdir(parents=True, exist_ok=True)
        file.replace(destination)


@contextmanager
def reporting_os_errors(path: Path) -> Iterator[None]:
    """Turn an ``OSError`` of the block into an ``InputError`` naming ``path`` and what to do."""
    try:
        yield
    except IsADirectoryError:
        raise InputError(f"{path} is a folder, a file was expected: give another name") from None
    except (NotADirectoryError, FileExistsError):
        raise InputError(
            f"{path} cannot be made: a file stands where a folder is needed, give another name"
        ) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(
            f"{path} cannot be written: {reason}; choose another folder or free it"
        ) from None
