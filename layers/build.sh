#!/usr/bin/env bash
# Builds one layer: build.sh LAYER ARCHITECTURE TARGET
#   LAYER         folder with a hashed requirements.txt, and perhaps with C of our own
#   ARCHITECTURE  x86_64 or arm64, as Lambda spells it; any machine builds either
# The same lock file gives the same bytes.
set -euo pipefail
layer=$1 architecture=$2 target=$(realpath -m "$3")
layers=$PWD
site_packages=$target/python/lib/python3.13/site-packages

case $architecture in
  x86_64) machine=x86_64 ;;
  arm64) machine=aarch64 ;;
  *) echo "ARCHITECTURE is $architecture; it must be x86_64 or arm64" >&2; exit 1 ;;
esac

install_wheels() {
  # Amazon Linux 2023 has glibc 2.34. pip takes these tags literally, so each is named.
  local platforms=()
  for glibc in 2_34 2_28 2_27 2_26 2_24 2_17 2014; do
    case $glibc in 2014) tag=manylinux2014 ;; *) tag=manylinux_$glibc ;; esac
    platforms+=(--platform "${tag}_$machine")
  done
  python3.13 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --no-deps \
    --require-hashes --only-binary=:all: --no-compile --implementation cp --python-version 3.13 \
    "${platforms[@]}" --target "$site_packages" --requirement "$layer/requirements.txt"
}

trim() {
  cd "$site_packages"
  # Nobody freezes an executable or loads a toy data set in Lambda.
  rm -rf bin share numpy/_pyinstaller sklearn/datasets/{data,descr,images} joblib/test
  find . -type d \( -name tests -o -name include -o -name __pycache__ \) -prune -exec rm -rf {} +
  # What serves compilers only, and RECORD, which lists what is gone now.
  find . -type f \( -name '*.pyi' -o -name '*.pyx' -o -name '*.px[di]' -o -name '*.tp' \
    -o -name '*.[chafo]' -o -name '*.cpp' -o -name meson.build -o -name '*.pxi.in' -o -name conftest.py -o -path '*.dist-info/RECORD' \) -delete
}

strip_symbols() {
  # Libraries in *.libs/ were patched when their wheel was repaired: stripped, they no longer load.
  local strip=strip
  [ "$machine" = "$(uname -m)" ] || strip=$machine-linux-gnu-strip
  if ! command -v "$strip" >/dev/null; then
    echo "layer $layer: no $strip here, so its symbols stay in" >&2
    return
  fi
  find . -name '*.so' -not -path '*.libs/*' -exec "$strip" --strip-unneeded --preserve-dates {} +
}

compile_c() {
  [ ! -e "$layers/$layer/csv_numbers.c" ] ||
    bash "$layers/compile.sh" python3.13 "$machine-linux" "$site_packages"
}

compile_bytecode() {
  # Lambda's file system is read-only: without bytecode each cold start compiles everything again.
  # Unchecked, because the zip's times say nothing; and paths as they will be in Lambda.
  python3.13 -m compileall -q -j 0 --invalidation-mode unchecked-hash -s "$target" -p /opt \
    "$site_packages"
}

install_wheels
trim
strip_symbols
compile_c
compile_bytecode
find "$target" -exec touch --no-dereference --date=@315532800 {} + # 1980, where zip's time begins
