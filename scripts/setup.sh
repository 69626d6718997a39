#!/usr/bin/env bash
# Sets up everything `make demo` and `make test` need: system packages where they are missing, then
# .venv with the locked Python packages. Interrupted at any point, the next run goes on from there.
set -euo pipefail
cd "$(dirname "$0")/.."

VENV=.venv
LOCK=requirements-dev.lock
LOCKED_PYTHON=3.11
EXTRAS=keras,onnx,flash,digits,photos,dev

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# --- system packages -----------------------------------------------------------------------------

# Prints a Python interpreter of version 3.11 or newer; 3.11 first, because the default reference
# kernels (tflite-runtime) have no package for later versions.
find_python() {
    local candidate
    for candidate in ${PYTHON:-python3.11 python3.12 python3.13 python3}; do
        # Running it is the test: a version manager's shim exists without the version behind it.
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

python_version() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])'; }

# The C library for Arm, beside the compiler that has to find it.
has_newlib() { [ -f "$(arm-none-eabi-gcc -print-file-name=nano.specs 2>/dev/null)" ]; }

has_host_compiler() { echo '#include <stdio.h>' | gcc -E -x c - >/dev/null 2>&1; }

# Prints one line per missing thing: the Debian package, a tab, what it is to a person.
missing() {
    local python
    has arm-none-eabi-gcc || printf 'gcc-arm-none-eabi\tarm-none-eabi-gcc (GNU compiler for Arm)\n'
    has_newlib || printf 'libnewlib-arm-none-eabi\tnewlib for arm-none-eabi-gcc\n'
    has qemu-system-arm || printf 'qemu-system-arm\tqemu-system-arm 7.2 or newer\n'
    has_host_compiler || printf 'gcc\tgcc (compiler for this machine)\nlibc6-dev\tits C headers\n'
    has espeak-ng || printf 'espeak-ng\tespeak-ng (speaks what the speech models train on)\n'
    if python=$(find_python); then
        "$python" -c 'import ensurepip, venv' >/dev/null 2>&1 ||
            printf 'python%s-venv\tthe venv module of %s\n' "$(python_version "$python")" "$python"
    else
        printf 'python3\tPython 3.11 or newer\npython3-venv\tits venv module\n'
    fi
}

install_packages() {
    local as_root=() packages
    packages=$(cut -f1 <<<"$1" | tr '\n' ' ')
    if [ "$(id -u)" -ne 0 ]; then
        has sudo || fail "run this as root, then the same command again: apt-get install $packages"
        as_root=(sudo)
    fi
    as_root+=(env DEBIAN_FRONTEND=noninteractive)
    say "installing with apt: $packages"
    "${as_root[@]}" apt-get update -qq </dev/null >/dev/null ||
        say "apt-get update failed, trying with the package lists at hand"
    # An installation that was interrupted has to be finished before apt starts another.
    "${as_root[@]}" dpkg --configure -a </dev/null >/dev/null || true
    # shellcheck disable=SC2086  # a list of packages is several words
    "${as_root[@]}" apt-get install -qq -y --no-install-recommends \
        -o DPkg::Lock::Timeout=300 $packages </dev/null >/dev/null ||
        fail "apt-get could not install: $packages"
}

install_system_packages() {
    local list
    list=$(missing)
    [ -n "$list" ] || return 0
    has apt-get || fail "this system has no apt; install these programs and run the same command
again: $(cut -f2 <<<"$list" | paste -sd';' | sed 's/;/; /g')"
    install_packages "$list"
    list=$(missing)
    [ -z "$list" ] || fail "still missing after apt-get install: $(cut -f2 <<<"$list" | paste -sd';')
(for Python: install python3.11 and python3.11-venv, or name an interpreter with PYTHON=...)"
}

# --- Python packages -----------------------------------------------------------------------------

create_venv() {
    local python
    "$VENV/bin/python" -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' \
        >/dev/null 2>&1 && return
    python=$(find_python)
    say "creating $VENV with $("$python" --version)"
    "$python" -m venv --clear "$VENV"
}

install_python_packages() {
    local constraints=()
    # The lock is of one Python version; on others the bounds in pyproject.toml decide.
    [ "$(python_version "$VENV/bin/python")" = "$LOCKED_PYTHON" ] && constraints=(-c "$LOCK")
    say "installing Python packages, TensorFlow among them: the first time takes some minutes"
    PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore "$VENV/bin/python" -m pip \
        install -qq ${constraints[@]+"${constraints[@]}"} -e ".[$EXTRAS]"
}

install_system_packages
create_venv
install_python_packages
say "done"
