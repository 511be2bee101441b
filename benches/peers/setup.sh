#!/usr/bin/env bash
# Installs the programs that figures are compared with, in an environment of their own; does nothing twice.
set -euo pipefail
folder="${HEQI_PEERS:-$HOME/.cache/heqi/peers}"
say() { printf 'peers: %s\n' "$*" >&2; }

if [ -x "$folder/bin/python" ] && "$folder/bin/python" -c 'import spu, sklearn' 2>/dev/null; then
  say "they are in $folder"
  exit 0
fi
# SecretFlow's wheels are for certain versions of Python only.
for python in python3.11 python3.10 python3.9 python3; do
  command -v "$python" >/dev/null 2>&1 && break
done
"$python" -m venv "$folder"
"$folder/bin/pip" install --quiet --disable-pip-version-check spu==0.9.5 scikit-learn
"$folder/bin/python" -c 'import spu, sklearn'
say "installed in $folder"
