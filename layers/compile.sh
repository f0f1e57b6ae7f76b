#!/usr/bin/env bash
# Compiles numpy/*.c to csv_numbers.so: compile.sh PYTHON TARGET FOLDER
#   PYTHON  its pip fetches the compiler, which is pinned by hash and gone again afterwards
#   TARGET  as Zig names it, on any machine: x86_64-linux, aarch64-linux, aarch64-macos
#   FOLDER  gets csv_numbers.so
# The same lock file and source give the same bytes.
set -euo pipefail
python=$1 target=$2 folder=$3
here=$(dirname "$0")/numpy

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
  --only-binary=:all: --no-compile --target "$work/compiler" --requirement "$here/compiler.txt"

# Zig keeps caches in the home folder unless it is told otherwise. Without a C library there is
# nothing to link with, and so nothing that a machine could lack.
PYTHONPATH=$work/compiler ZIG_GLOBAL_CACHE_DIR=$work/cache ZIG_LOCAL_CACHE_DIR=$work/cache \
  "$python" -m ziglang cc -target "$target" -mcpu=baseline -std=c11 -O3 -Wall -Wextra -Werror \
  -ffreestanding -nostdlib -ffp-contract=off -shared -fPIC -s \
  -o "$work/csv_numbers.so" "$here"/*.c

# Moved, not written over: whoever has the old one loaded keeps it.
cp "$work/csv_numbers.so" "$folder/.csv_numbers.so"
mv -f "$folder/.csv_numbers.so" "$folder/csv_numbers.so"
