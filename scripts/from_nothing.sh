#!/bin/sh
# From nothing to a model that answers: the README's four commands on a folder of MIDI files, each one timed.
#
# scripts/from_nothing.sh MIDI_DIR OUT_DIR        PYTHON=... names a Python with the extra `train`
set -eu
[ $# -eq 2 ] || { echo "usage: scripts/from_nothing.sh MIDI_DIR OUT_DIR" >&2; exit 2; }
midi=$1 out=$2 python=${PYTHON:-python}
call=$(find "$midi" -name '*.mid' -o -name '*.midi' | sort | head -n 1)
[ -n "$call" ] || { echo "$midi holds no MIDI files" >&2; exit 1; }
mkdir -p "$out"
export TF_CPP_MIN_LOG_LEVEL=3
begin=$(date +%s)
timed() {
    began=$(date +%s)
    "$@" || { echo "$* failed" >&2; exit 1; }
    echo "$(($(date +%s) - began)) s: $*" >&2
}
timed "$python" -m training prepare --root "$midi" --out "$out/notes"
timed "$python" -m training train --data "$out/notes" --run "$out/run"
timed "$python" -m training export --run "$out/run" --data "$out/notes" --out "$out/models/mine"
timed "$python" -m livemuse answer "$call" -o "$out/answer.mid" --model "$out/models/mine" --seconds 8
echo "$(($(date +%s) - begin)) s in all; processor time:" >&2
times >&2
