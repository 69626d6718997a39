#!/usr/bin/env bash
# Sets up everything `make demo` and `make test` need: system packages where they are missing, then
# a folder with the locked Python packages, .venv or VENV. PYTHON may be a version (3.12), a command or
# a path. Interrupted at any point, the next run goes on from there.
set -euo pipefail
cd "$(dirname "$0")/.."

VENV=${VENV:-.venv}
EXTRAS=keras,onnx,flash,digits,photos,search,dev

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# --- system packages -----------------------------------------------------------------------------

# Versions there is a lock for, and a list of what each may be called; pyenv keeps interpreters
# beside the PATH.
VERSIONS="3.13 3.12 3.11"
called() {
    local version
    for version in "$@"; do
        printf '%s\n' "python$version" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python
    done
}

candidates() {
    case "${PYTHON:-}" in
        "") called $VERSIONS; echo python3 ;;
        3.[0-9]*) called "$PYTHON" ;;
        *) echo "$PYTHON" ;;
    esac
}

# Running it is the test: a version manager's shim exists without the version behind it.
is_recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }
makes_venvs() { "$1" -c 'import ctypes, ensurepip, ssl, venv' >/dev/null 2>&1; }

# Prints the first candidate that can make an environment, else the first that a package may help to.
find_python() {
    local candidate found=""
    while read -r candidate; do
        is_recent "$candidate" || continue
        if makes_venvs "$candidate"; then
            echo "$candidate"
            return
        fi
        found=${found:-$candidate}
    done < <(candidates)
    [ -n "$found" ] && echo "$found"
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
        makes_venvs "$python" ||
            printf 'python%s-venv\tthe venv module of %s\n' "$(python_version "$python")" "$python"
    elif [ -n "${PYTHON:-}" ]; then
        printf 'python%s\tPython 3.11 or newer at PYTHON=%s\n' "${PYTHON#python}" "$PYTHON"
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
(for Python: install one of $VERSIONS with its venv module, or name one with PYTHON=...)"
}

# --- Python packages -----------------------------------------------------------------------------

create_venv() {
    local python
    python=$(find_python)
    # Without PYTHON any environment will do that is recent enough.
    if is_recent "$VENV/bin/python" && "$VENV/bin/python" -c 'import pip' >/dev/null 2>&1; then
        [ -z "${PYTHON:-}" ] && return
        [ "$(python_version "$VENV/bin/python")" = "$(python_version "$python")" ] && return
    fi
    say "creating $VENV with $("$python" --version), $(command -v "$python")"
    "$python" -m venv --clear "$VENV"
}

install_python_packages() {
    local constraints=() lock
    lock=locks/python-$(python_version "$VENV/bin/python").txt
    # On a version without a lock the bounds in pyproject.toml decide.
    [ -f "$lock" ] && constraints=(-c "$lock")
    say "installing Python packages, TensorFlow among them: the first time takes some minutes"
    PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore "$VENV/bin/python" -m pip \
        install -qq ${constraints[@]+"${constraints[@]}"} -e ".[$EXTRAS]"
}

# scripts/lock.sh asks for the interpreter alone.
if [ "${1:-}" = --python ]; then
    find_python
    exit
fi

install_system_packages
create_venv
install_python_packages
say "done"
