import os
import shutil
import subprocess
import sys
from pathlib import Path
from subprocess import CompletedProcess

import pytest

SETUP = Path(__file__).parents[1] / "scripts" / "setup.sh"
# What the person who runs the tests may have chosen.
CHOICES = {"PYTHON", "VENV", "PYENV_ROOT"}
TOOLS_OF_THE_SCRIPT = ["bash", "env", "dirname", "cut", "tr", "paste", "sed"]


@pytest.fixture
def bare_system(tmp_path) -> Path:
    """A PATH with what any system has, and no compiler, no emulator, no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS_OF_THE_SCRIPT:
        (folder / tool).symlink_to(shutil.which(tool))
    return folder


def put_program(path: Path, name: str, text: str) -> None:
    program = path / name
    program.write_text(f"#!/usr/bin/env bash\n{text}\n")
    program.chmod(0o755)


def run_setup(path: Path, *arguments: str, user: str = "0", **env: str) -> CompletedProcess:
    """Run the script where it finds nothing but what is in ``path``."""
    put_program(path, "id", f"echo {user}")
    kept = {key: value for key, value in os.environ.items() if key not in CHOICES}
    return subprocess.run(
        ["bash", str(SETUP), *arguments],
        env=kept | {"PATH": str(path), "HOME": str(path)} | env,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_apt_setup_lists_every_program_to_install_and_stops(bare_system):
    result = run_setup(bare_system, user="0")

    assert result.returncode == 1
    assert "no apt" in result.stderr
    for program in [
        "arm-none-eabi-gcc",
        "newlib",
        "qemu-system-arm",
        "gcc",
        "espeak-ng",
        "Python 3.11 or newer",
    ]:
        assert program in result.stderr


def test_without_root_and_sudo_setup_says_the_command_to_run_as_root(bare_system):
    (bare_system / "apt-get").symlink_to("/bin/false")

    result = run_setup(bare_system, user="1000")

    assert result.returncode == 1
    assert "as root" in result.stderr
    assert "apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi" in result.stderr


def put_python(path: Path, version: str) -> None:
    put_program(path, f"python{version}", f'exec {sys.executable} "$@"')


def chosen(path: Path, **env: str) -> str:
    return run_setup(path, "--python", **env).stdout.strip()


def test_the_newest_python_is_taken_and_a_shim_without_a_version_behind_it_is_not(bare_system):
    put_program(bare_system, "python3.13", "exit 127")
    put_python(bare_system, "3.12")
    put_python(bare_system, "3.11")

    assert chosen(bare_system) == "python3.12"


def test_a_python_that_makes_no_environments_is_the_last_choice(bare_system):
    put_program(
        bare_system, "python3.13", f'[[ "$2" == *venv* ]] && exit 1; exec {sys.executable} "$@"'
    )
    assert chosen(bare_system) == "python3.13"

    put_python(bare_system, "3.11")
    assert chosen(bare_system) == "python3.11"


def test_a_version_may_be_named_and_is_found_in_pyenv_too(bare_system):
    put_python(bare_system, "3.13")
    folder = bare_system / ".pyenv" / "versions" / "3.12.7" / "bin"
    folder.mkdir(parents=True)
    put_program(folder, "python", f'exec {sys.executable} "$@"')

    assert chosen(bare_system, PYTHON="3.12") == str(folder / "python")
    assert chosen(bare_system, PYTHON="3.11") == ""


def test_a_version_that_is_not_there_is_named_with_its_package(bare_system):
    result = run_setup(bare_system, PYTHON="3.12")

    assert result.returncode == 1
    assert "Python 3.11 or newer at PYTHON=3.12" in result.stderr
