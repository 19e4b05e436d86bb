#!/bin/sh
# The tables of docs/training/results.md: everything that is measured of a model, each as a file of JSON, and the report.
#
# scripts/tables.sh NOTES_DIR SUBSET_DIR ANCESTORS OUT MODEL...     PYTHON=... names a Python with the extra `train`
#
# NOTES_DIR is what the models were made from, SUBSET_DIR the common subset on which the ancestors in ANCESTORS were
# trained. What is there already is not measured again.
set -eu
[ $# -ge 5 ] || { echo "usage: scripts/tables.sh NOTES_DIR SUBSET_DIR ANCESTORS OUT MODEL..." >&2; exit 2; }
notes=$1 subset=$2 ancestors=$3 out=$4 python=${PYTHON:-python}
shift 4
mkdir -p "$out"
export TF_CPP_MIN_LOG_LEVEL=3
to() {
    file=$out/$1.json
    shift
    [ -s "$file" ] && return
    echo "$file: $*" >&2
    "$python" -m training "$@" --json > "$file.part"
    mv "$file.part" "$file"
}
for model in "$@"; do
    name=$(basename "$model")
    to "evaluate-$name" evaluate "$model" --data "$subset" --answers 0
    to "labels-$name" labels "$model" --data "$notes"
    to "answers-$name" answers "$model" --data "$subset" --pieces 30 --baseline all --run "$ancestors" --judge "$1"
    to "sampling-$name" sampling "$model" --data "$notes" --calls 30 --jobs 2
done
to long-form long-form "$@" --data "$notes"
"$python" -m training report --model "$@" --data "$notes" --out "$out/report" --table "$out"/*.json
