#!/usr/bin/env bash
# Compiles reader/*.c to csv_numbers.so and numpy/kmeans/*.c to kmeans.so:
# compile.sh PYTHON TARGET FOLDER LIBRARY...
#   PYTHON  its pip fetches the compiler, which is pinned by hash and gone again afterwards
#   TARGET  as Zig names it, on any machine: x86_64-linux, aarch64-linux, aarch64-macos
#   FOLDER  gets the libraries
#   LIBRARY csv_numbers or kmeans; of the latter x86_64 has two, kmeans_avx512.so for processors with that
# COMPILER, where it is set, is a folder that keeps the compiler, 20,000 files, for the next call.
# The same lock file and source give the same bytes.
set -euo pipefail
python=$1 target=$2 folder=$3
shift 3
here=$(dirname "$0")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
compiler=${COMPILER:-$work/compiler}
[ -d "$compiler" ] || "$python" -m pip install --quiet --disable-pip-version-check --no-deps \
  --require-hashes --only-binary=:all: --no-compile --target "$compiler" \
  --requirement "$here/compiler.txt"

# Zig keeps caches in the home folder unless it is told otherwise. Without a C library there is
# nothing to link with, and so nothing that a machine could lack.
compile() { # NAME CPU SOURCE-OR-OPTION...
  local name=$1 cpu=$2
  shift 2
  PYTHONPATH=$compiler ZIG_GLOBAL_CACHE_DIR=$work/cache ZIG_LOCAL_CACHE_DIR=$work/cache \
    "$python" -m ziglang cc -target "$target" -mcpu="$cpu" -std=c11 -O3 -Wall -Wextra -Werror \
    -ffreestanding -nostdlib -ffp-contract=off -shared -fPIC -s -o "$work/$name.so" "$@"
  # Moved, not written over: whoever has the old one loaded keeps it.
  cp "$work/$name.so" "$folder/.$name.so"
  mv -f "$folder/.$name.so" "$folder/$name.so"
}

# Lambda's x86_64 has AVX2 and FMA: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-avx2.html
# The kernel needs both to be fast, and FMA to round as BLAS does; on arm64 every CPU has it. Where there
# is AVX-512, the same source comes to the same bits in less time.
compile_kmeans() {
  case "$target" in
    x86_64-*)
      compile kmeans x86_64_v3 "$here"/numpy/kmeans/*.c
      compile kmeans_avx512 x86_64_v4 -mprefer-vector-width=512 "$here"/numpy/kmeans/*.c
      ;;
    *) compile kmeans baseline "$here"/numpy/kmeans/*.c ;;
  esac
}
for library in "$@"; do
  case "$library" in
    csv_numbers) compile csv_numbers baseline "$here"/reader/*.c ;;
    kmeans) compile_kmeans ;;
    *) echo "There is no library $library." >&2; exit 1 ;;
  esac
done
