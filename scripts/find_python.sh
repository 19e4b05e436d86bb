#!/bin/sh
# Prints a Python 3.11 or 3.12 of this machine; PYTHON=... names one. Exit 1 with a sentence where there is none.
set -u
suits() {
    command -v "$1" >/dev/null 2>&1 &&
        "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' 2>/dev/null
}
if [ -n "${PYTHON:-}" ]; then
    if suits "$PYTHON"; then command -v "$PYTHON"; exit 0; fi
    echo "PYTHON=$PYTHON is not a Python 3.11 or 3.12." >&2
    exit 1
fi
for name in python3.12 python3.11 python3 python \
    /opt/homebrew/bin/python3.12 /opt/homebrew/bin/python3.11 /usr/local/bin/python3.12 /usr/local/bin/python3.11 \
    /Library/Frameworks/Python.framework/Versions/3.12/bin/python3 /Library/Frameworks/Python.framework/Versions/3.11/bin/python3; do
    if suits "$name"; then command -v "$name"; exit 0; fi
done
echo "livemuse needs Python 3.11 or 3.12, and found neither." >&2
echo "Install one (macOS: brew install python@3.12; Debian, Ubuntu: sudo apt install python3.12 python3.12-venv), or name one: make PYTHON=/path/to/python3.12 ..." >&2
exit 1
