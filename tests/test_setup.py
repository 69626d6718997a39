import os
import shutil
import subprocess
from pathlib import Path

import pytest

SETUP = Path(__file__).parents[1] / "scripts" / "setup.sh"
TOOLS_OF_THE_SCRIPT = ["bash", "env", "dirname", "cut", "tr", "paste", "sed"]


@pytest.fixture
def bare_system(tmp_path) -> Path:
    """A PATH with what any system has, and no compiler, no emulator, no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS_OF_THE_SCRIPT:
        (folder / tool).symlink_to(shutil.which(tool))
    return folder


def run_setup(path: Path, user: str) -> subprocess.CompletedProcess:
    program = path / "id"
    program.write_text(f"#!/usr/bin/env bash\necho {user}\n")
    program.chmod(0o755)
    return subprocess.run(
        ["bash", str(SETUP)],
        env=os.environ | {"PATH": str(path)},
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
        "Python 3.11",
    ]:
        assert program in result.stderr


def test_without_root_and_sudo_setup_says_the_command_to_run_as_root(bare_system):
    (bare_system / "apt-get").symlink_to("/bin/false")

    result = run_setup(bare_system, user="1000")

    assert result.returncode == 1
    assert "as root" in result.stderr
    assert "apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi" in result.stderr
