#!/bin/sh
# Everything that continuous integration runs, in one go:  test.sh        the quick part of it:  test.sh quick
# Lint, format, types, import contracts; then one pytest run over every tier, whose closing line is the last one printed.
set -u
cd "$(dirname "$0")/.."
bin=$PWD/.venv-dev/bin
failed=0

step() {
    name=$1
    shift
    echo "== $name"
    "$@" || { failed=1; echo "FAILED: $name"; }
}

step "lint" "$bin/ruff" check --quiet livemuse training tests scripts
step "format" "$bin/ruff" format --quiet --check livemuse training tests scripts
step "types" "$bin/mypy" --no-error-summary
step "import contracts" sh -c "PYTHONPATH=. '$bin/lint-imports' --no-cache >.lint-imports.log 2>&1 || { cat .lint-imports.log; false; }"
rm -f .lint-imports.log

if [ "${1:-}" = quick ]; then
    step "tests (without live and pipeline)" "$bin/python" -m pytest -q -m "not live and not pipeline"
    exit $failed
fi

# The live tier: a real JACK server with its dummy driver. It needs jackd, on Linux.
if [ "$(uname -s)" = Linux ] && ! command -v jackd >/dev/null 2>&1; then sh scripts/apt.sh jackd2 || true; fi
command -v jackd >/dev/null 2>&1 || echo "SKIPPED TIER live: jackd is not installed and cannot be installed here (sudo apt install jackd2)."
"$bin/python" -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec("tensorflow") is None)' ||
    echo "SKIPPED TIER pipeline: there is no TensorFlow for this machine."

# A /dev/shm of its own, where the system allows it: JACK servers of other programs neither see nor disturb these tests.
private=
if unshare -m true 2>/dev/null; then private="unshare -m"; elif unshare -rm true 2>/dev/null; then private="unshare -rm"; fi
echo "== tests"
if [ -n "$private" ]; then
    $private sh -c 'mount -t tmpfs -o size=1g tmpfs /dev/shm && exec "$@"' private "$bin/python" -m pytest -q || failed=1
else
    "$bin/python" -m pytest -q || failed=1
fi
exit $failed
