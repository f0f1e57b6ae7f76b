#!/usr/bin/env bash
# Makes a Python 3.13 environment if there is none, and installs a lock file into it.
# Usage: local/install.sh ENVIRONMENT LOCK "what it is and how long it takes"
set -euo pipefail
environment=$1 lock=$2 what=$3

runs_313() { "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null; }

if ! [ -e "$environment/bin/python" ] || ! runs_313 "$environment/bin/python"; then
  for python in "${PYTHON:-python3.13}" python3.13 python3 python; do
    if runs_313 "$python"; then break; fi
    python=
  done
  if [ -z "$python" ]; then
    echo "Python 3.13 is needed and was not found; install it, or name it: make PYTHON=/path/to/python3.13 …" >&2
    exit 1
  fi
  echo "Making $environment with $("$python" --version)"
  "$python" -m venv --clear "$environment" || {
    echo "$python cannot make a virtual environment; Debian and Ubuntu have that in the package python3.13-venv." >&2
    exit 1
  }
fi

echo "Installing $what (once)"
began=$SECONDS
# pip names every package and every address it came from; a count is enough to see it going on.
"$environment/bin/python" -m pip install --disable-pip-version-check --progress-bar off \
  --require-hashes -r "$lock" |
  awk '
    /^(Collecting|Processing) / { if (++found % 20 == 0) { print "  " found " packages found"; fflush() } }
    /^Installing collected/ { print "  " found " packages found, installing them"; fflush() }
  '
echo "Installed in $((SECONDS - began)) s"
