#!/usr/bin/env bash
# Resolves every *.in to a pinned and hashed lock file, and says which versions changed: `make lock`,
# or `make lock UPGRADE=--upgrade`. All or nothing: where one cannot be resolved, or the package index
# not be reached, every lock stays as it is.
set -euo pipefail
cd "$(dirname "$0")/.."
locks=(
  functions/requirements
  layers/numpy/requirements
  layers/compiler
  layers/sklearn/requirements
  layers/formats/requirements
  requirements/local
  requirements/dev
  requirements/sam
  requirements/bench
  requirements/client
  requirements/docs
  requirements/checkov
  requirements/sbom
  requirements/mutants
  layers/spark/requirements
  requirements/spark
)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

compile() {
  local options=()
  case $1 in layers/sklearn/*) options+=(--no-emit-package numpy) ;; esac # the other layer's
  (cd "$work" && uv pip compile --quiet --python-version 3.13 --universal --generate-hashes \
    --no-header --no-emit-index-url --annotation-style line ${UPGRADE:-} ${options[@]+"${options[@]}"} \
    "$1.in" -o "$1.txt")
}

# The versions in a lock, as "name version", sorted.
versions() { sed -nE 's/^([A-Za-z0-9._-]+)==([^ ;]+).*/\1 \2/p' "$1" 2>/dev/null | sort -u -k 1,1; }

# They name each other by relative paths, so they are resolved in a tree of the same shape.
for lock in "${locks[@]}"; do
  mkdir -p "$work/$(dirname "$lock")"
  cp "$lock.in" "$work/$lock.in"
  if [ -e "$lock.txt" ]; then cp "$lock.txt" "$work/$lock.txt"; fi
done
for lock in "${locks[@]}"; do
  compile "$lock" || { echo "$lock.in could not be resolved; all locks are as they were" >&2; exit 1; }
done

for lock in "${locks[@]}"; do
  join -a 1 -a 2 -e - -o 0,1.2,2.2 <(versions "$lock.txt") <(versions "$work/$lock.txt") |
    awk -v lock="$lock" '$2 != $3 { print lock ": " $1 " " $2 " → " $3 }'
  cmp -s "$work/$lock.txt" "$lock.txt" || cp "$work/$lock.txt" "$lock.txt"
done
