#!/usr/bin/env bash
# Resolves every *.in to a pinned and hashed lock file: `make lock`, or `make lock UPGRADE=--upgrade`.
set -euo pipefail
cd "$(dirname "$0")/.."
compile() {
  local source=$1; shift
  uv pip compile --quiet --python-version 3.13 --universal --generate-hashes --no-header \
    --no-emit-index-url --annotation-style line ${UPGRADE:-} "$@" "$source.in" -o "$source.txt"
}
compile functions/requirements
compile layers/numpy/requirements
compile layers/sklearn/requirements --no-emit-package numpy
compile requirements/local
compile requirements/dev
compile requirements/sam
compile requirements/bench
