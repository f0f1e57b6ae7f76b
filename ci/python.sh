#!/usr/bin/env bash
# Says where Debian's Python 3.13 is, for PATH. It is built with a profile of what programs do, as
# AWS's is; with one that is not, as pyenv builds it, tests take half again as long. A Debian that
# has another Python gets the packages of the one that has it unpacked into a folder, with the C
# library that they go with, and nothing else of the machine changes.
# Needs root on Debian, on x86_64, where it is not there yet.
set -euo pipefail
version=3.13 release=trixie
root=/opt/debian-python$version

if [ -x /usr/bin/python$version ]; then
  echo /usr/bin
  exit
fi
if ! [ -e $root/.made ]; then
  echo "unpacking Debian's Python $version into $root" >&2
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mmdebstrap patchelf >/dev/null
  rm -rf $root && mkdir -p $root
  mmdebstrap --quiet --variant=extract --include=python$version-venv,libstdc++6,tzdata \
    --aptopt='Acquire::Check-Valid-Until "false"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    $release - | tar -x -C $root --exclude='./dev/*'
  find $root/usr/bin ! -type d ! -name python$version -delete # they are for the machine's own library
  libraries=$root/usr/lib/x86_64-linux-gnu
  patchelf --set-interpreter $libraries/ld-linux-x86-64.so.2 \
    --force-rpath --set-rpath $libraries $root/usr/bin/python$version
  standard=$root/usr/lib/python$version
  grep -rl --include='*.py' "'/usr/share/python-wheels" $standard |
    xargs sed -i "s#'/usr/share/python-wheels#'$root/usr/share/python-wheels#" # where pip comes from
  $root/usr/bin/python$version -m compileall -q $standard
  touch $root/.made
fi
echo $root/usr/bin
