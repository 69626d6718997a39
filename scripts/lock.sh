#!/usr/bin/env bash
# Writes locks/python-X.Y.txt for each Python named (3.11 3.12 3.13): what pip resolves today for all
# extras, in an environment of its own.
set -euo pipefail
cd "$(dirname "$0")/.."

EXTRAS=keras,onnx,flash,digits,photos,search,dev

for version in "$@"; do
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    lock=locks/python-$version.txt
    python=$(PYTHON=$version scripts/setup.sh --python) || {
        printf 'lock: no Python %s here that can make an environment\n' "$version" >&2
        exit 1
    }
    "$python" -m venv "$folder"
    "$folder/bin/python" -m pip install -qq -e ".[$EXTRAS]"
    {
        printf '# The set-up on Python %s, exactly as tested: constraints for pip (scripts/setup.sh).\n' "$version"
        printf '# Written by make lock.\n'
        "$folder/bin/python" -m pip freeze --exclude tinyml --exclude-editable
    } >"$folder/lock"
    mkdir -p locks
    mv "$folder/lock" "$lock"
    rm -rf "$folder"
    printf 'lock: %s\n' "$lock"
done
