from pathlib import Path

import pytest

from tinyml.errors import InputError
from tinyml.files import atomic_directory, atomic_path, atomic_write


def test_a_write_makes_the_folders_it_needs(tmp_path):
    atomic_write(tmp_path / "a" / "b" / "file.txt", "scale ½\n")

    assert (tmp_path / "a" / "b" / "file.txt").read_bytes() == "scale ½\n".encode()


def test_a_failing_block_leaves_the_previous_file_and_nothing_else(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(b"before")

    def fail_halfway():
        with atomic_path(path) as temporary:
            temporary.write_bytes(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_halfway()

    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_temporary_path_has_the_suffix_its_writer_looks_at(tmp_path):
    with atomic_path(tmp_path / "model.keras") as temporary:
        assert temporary.suffix == ".keras"
        temporary.touch()


def test_a_folder_gets_its_new_files_and_keeps_its_others(tmp_path):
    folder = tmp_path / "firmware"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    (folder / "digits.elf").write_text("old")

    with atomic_directory(folder) as temporary:
        (temporary / "map").mkdir()
        (temporary / "map" / "digits.map").write_text("new")
        (temporary / "digits.elf").write_text("new")

    files = {path.name: path.read_text() for path in folder.rglob("*") if path.is_file()}
    assert files == {"notes.txt": "mine", "digits.elf": "new", "digits.map": "new"}


def test_a_failing_block_leaves_no_folder(tmp_path):
    def fail_halfway():
        with atomic_directory(tmp_path / "firmware") as temporary:
            (temporary / "half.elf").touch()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_halfway()

    assert list(tmp_path.iterdir()) == []


def test_a_folder_where_a_file_should_be_is_named(tmp_path):
    with pytest.raises(InputError, match="is a folder, a file was expected"):
        atomic_write(tmp_path, b"")


@pytest.mark.parametrize("writer", [atomic_path, atomic_directory])
def test_a_file_where_a_folder_should_be_is_named(tmp_path, writer):
    (tmp_path / "file").touch()

    with (
        pytest.raises(InputError, match="a file stands where a folder is needed"),
        writer(tmp_path / "file" / "result"),
    ):
        pass


def test_what_the_system_refuses_is_told_with_its_reason():
    # /proc refuses new files even to root.
    with pytest.raises(InputError, match=r"/proc/tinyml cannot be written: .+"):
        atomic_write(Path("/proc/tinyml"), b"")
