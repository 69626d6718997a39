"""Shows that two commits write the same bytes: .tflite, .onnx and C of every model at hand.

    python scripts/same_outputs.py BASE [CMSIS_NN_DIR ...]

BASE is a commit; the other one is what lies in this checkout. The models are every case of BASE's
conformance suite as a .tflite, the files of other tools beside them, and the untrained MLPerf Tiny
networks in build/ (`python benchmarks/mlperf_tiny.py --untrained` makes them). C is written for any
core and for one of each class; for each CMSIS-NN named besides the packaged one, for any and MVE.
Both commits are driven by their own command line; a refusal counts as an output, by its sentence.
BASE's answers are kept in build/same_outputs, for the next step of the same work. Exits 1 where
anything differs.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
KEPT = REPOSITORY / "build" / "same_outputs"
BOARDS = ("mps2-an385", "mps2-an386", "mps3-an547")
WORKERS = os.cpu_count() or 1

WRITE_CASES = """
import sys
from dataclasses import replace
from pathlib import Path
tree, folder = map(Path, sys.argv[1:])
sys.path[:0] = [str(tree / "tests" / "conformance"), str(tree / "tests")]
from single_operator import all_cases
from tinyml import write_tflite
for case in all_cases():
    (folder / f"{case.name}.tflite").write_bytes(write_tflite(case.graph))
"""

EXPORT = """
import contextlib, hashlib, io, json, sys, tempfile
from pathlib import Path
from tinyml.cli import run

given = json.load(sys.stdin)
found = {}
with tempfile.TemporaryDirectory() as folder:
    for model in map(Path, given["models"]):
        for options in given["formats"]:
            output = Path(folder) / model.stem / "-".join(options)
            output.parent.mkdir(exist_ok=True)
            if options[0] != "c":
                output = output.with_name(f"model.{options[0]}")
            said = io.StringIO()
            with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
                code = run(["export", str(model), "--format", *options, "-o", str(output)])
            sentence = said.getvalue().replace(folder, "")
            result = found[f"{model.name} {' '.join(options)}"] = {"code": code, "said": sentence}
            for path in sorted(output.iterdir() if output.is_dir() else [output]):
                if path.is_file():
                    result[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
                    path.unlink()
json.dump(found, sys.stdout)
"""

Outputs = dict[str, dict[str, object]]


def main() -> int:
    """Compare, and say how much was equal."""
    base, *folders = sys.argv[1:]
    commit = git("rev-parse", "--short=12", base)
    tree, models = KEPT / commit / "tree", KEPT / commit / "models"
    if not tree.is_dir():
        git("worktree", "add", "--detach", str(tree), commit)
    if not models.is_dir():
        partial = models.with_name("partial")
        partial.mkdir(exist_ok=True)
        python(tree, WRITE_CASES, [str(tree), str(partial)])
        partial.rename(models)
    different, compared = [], 0
    for root in (None, *folders):
        before = base_outputs(tree, models, root)
        after = outputs(REPOSITORY, tree, models, root)
        compared += len(before)
        different += [f"{key} ({root})" for key in before if before[key] != after.get(key)]
    print(*different[:50], sep="\n")
    print(f"{compared - len(different):,} of {compared:,} outputs are the same as at {commit}")
    return 1 if different else 0


def base_outputs(tree: Path, models: Path, cmsis_nn: str | None) -> Outputs:
    """What BASE writes, from build/same_outputs where it was asked before."""
    kept = tree.with_name(f"{Path(cmsis_nn or 'packaged').name}.json")
    if not kept.is_file():
        kept.write_text(json.dumps(outputs(tree, tree, models, cmsis_nn)), encoding="utf-8")
    found: Outputs = json.loads(kept.read_text(encoding="utf-8"))
    return found


def outputs(package: Path, tree: Path, models: Path, cmsis_nn: str | None) -> Outputs:
    """Exit code, what was said, and a digest for each file, of every model and format."""
    exports = (tree / "tests" / "conformance" / "exports").iterdir()
    networks = (REPOSITORY / "build" / "mlperf_tiny" / "untrained").glob("*.tflite")
    paths = sorted([*models.iterdir(), *networks, *exports])
    names = [str(path) for path in paths if path.suffix in {".tflite", ".onnx"}]
    # Versions differ in what MVE needs, and so in C for any core.
    boards = BOARDS if cmsis_nn is None else BOARDS[-1:]
    formats = [["c"], *(["c", "--board", board] for board in boards)]
    if cmsis_nn is None:
        formats += [["tflite"], ["onnx"]]
    environment = {"CMSIS_NN_DIR": cmsis_nn} if cmsis_nn else {}

    def share(number: int) -> Outputs:
        given = json.dumps({"models": names[number::WORKERS], "formats": formats})
        found: Outputs = json.loads(python(package, EXPORT, given=given, environment=environment))
        return found

    with ThreadPoolExecutor(WORKERS) as pool:
        shares = list(pool.map(share, range(WORKERS)))
    return {key: value for found in shares for key, value in found.items()}


def python(
    package: Path,
    code: str,
    arguments: Sequence[str] = (),
    *,
    given: str = "",
    environment: dict[str, str] | None = None,
) -> str:
    """Run code of ours on a commit's package; give what it prints."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        input=given,
        env=os.environ | {"PYTHONPATH": str(package)} | (environment or {}),
        cwd=package,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout


def git(*arguments: str) -> str:
    """Run git in this checkout."""
    command = ["git", "-C", str(REPOSITORY), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
