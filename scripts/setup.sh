#!/bin/sh
# Sets up one environment from its lock file:  setup.sh live -> .venv    setup.sh dev -> .venv-dev
# "live" is what playing needs (no TensorFlow); "dev" is that and everything the tests need.
# Whatever it cannot do, it says in a sentence that tells what to do.
set -eu
cd "$(dirname "$0")/.."
which=$1
case $which in
    live) venv=.venv ;;
    dev) venv=.venv-dev ;;
    *) echo "setup.sh: $1 is neither live nor dev" >&2; exit 2 ;;
esac

give_up() {
    for sentence in "$@"; do echo "$sentence" >&2; done
    exit 1
}

python=$(sh scripts/find_python.sh) || exit 1

# uv, in an environment of its own, builds the others from their locks, hash by hash.
if [ ! -x .tools/bin/uv ]; then
    rm -rf .tools
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        sh scripts/apt.sh "python$version-venv" || give_up \
            "$python cannot make virtual environments." "Install them: sudo apt install python$version-venv"
    fi
    echo "Setting up the installer in .tools ..." >&2
    "$python" -m venv .tools
    .tools/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/tools.lock ||
        give_up "The installer could not be fetched." "See that this machine is online, then run make again."
    .tools/bin/python -m pip uninstall --quiet --yes setuptools pip 2>/dev/null || true  # 27 MB that uv does without
fi
uv=.tools/bin/uv
export UV_PYTHON_DOWNLOADS=never

if ! { [ -x $venv/bin/python ] && $venv/bin/python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))'; }; then
    rm -rf $venv
    "$uv" venv --quiet --python "$python" $venv
fi
echo "Installing requirements/$which.lock into $venv ..." >&2
"$uv" pip sync --quiet --python $venv/bin/python --require-hashes --compile-bytecode requirements/$which.lock ||
    give_up "The packages of requirements/$which.lock could not all be installed." \
            "See that this machine is online; behind a package mirror, set UV_INDEX_URL, then run make again."
"$uv" pip install --quiet --python $venv/bin/python --no-deps --build-constraints requirements/build.lock --editable . ||
    give_up "livemuse itself could not be installed into $venv." "Run make clean, then make again."

# python-rtmidi needs the system's ALSA library on Linux, which slim systems leave out.
if [ "$(uname -s)" = Linux ] && ! $venv/bin/python -c 'import rtmidi' 2>/dev/null; then
    sh scripts/apt.sh libasound2t64 || sh scripts/apt.sh libasound2 || true
    $venv/bin/python -c 'import rtmidi' 2>/dev/null || {
        echo "livemuse cannot reach MIDI before the system has the ALSA library." >&2
        echo "Install it: sudo apt install libasound2 (libasound2t64 on newer systems; alsa-lib on Fedora and Arch)." >&2
    }
fi
touch $venv/.installed
