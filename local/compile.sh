#!/usr/bin/env bash
# Compiles our C, the reader of numbers and k-means, into an environment: local/compile.sh ENVIRONMENT
set -euo pipefail
python=$1/bin/python

case "$(uname -m)" in
  x86_64 | amd64) machine=x86_64 ;;
  aarch64 | arm64) machine=aarch64 ;;
  *) echo "The compiled parts of the service are made for x86_64 and arm64, not for $(uname -m)." >&2; exit 1 ;;
esac
case "$(uname -s)" in
  Linux) system=linux ;;
  Darwin) system=macos ;;
  *) echo "The compiled parts of the service are made for Linux and macOS, not for $(uname -s)." >&2; exit 1 ;;
esac

echo "Compiling the reader of numbers and k-means (their compiler is a download of 100 MB that does not stay)"
began=$SECONDS
site_packages=$("$python" -c 'import sysconfig; print(sysconfig.get_path("platlib"))')
layers/compile.sh "$python" "$machine-$system" "$site_packages" csv_numbers kmeans
echo "Compiled in $((SECONDS - began)) s"
