#!/usr/bin/env bash
# Makes a stand-in for AWS's Lambda image where no container registry can be reached: Debian's
# CPython and AWS's runtime client from PyPI, under the name SAM asks for. Nothing is done if an
# image of that name is there. It differs from AWS's: Debian's glibc, root, no Lambda extensions.
# Needs root, Debian, a Docker daemon and python3.13 (ci/lambda-image.sh --force makes it anew).
set -euo pipefail
version=3.13
image=public.ecr.aws/lambda/python:$version-x86_64
emulated=public.ecr.aws/lambda/python:$version-rapid-x86_64 # what SAM derives from it and keeps

if [ "${1:-}" != --force ] && docker image inspect "$image" >/dev/null 2>&1; then
  exit 0
fi
docker image rm --force "$emulated" >/dev/null 2>&1 || true # absent the first time

if ! command -v mmdebstrap >/dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mmdebstrap >/dev/null
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"

# What AWS adds to a bare Python: its runtime client, boto3 and the program that starts a handler.
added=$work/added
mkdir -p "$added"/{etc,opt,var/{runtime,task,rapid,lang/bin}}
python$version -m venv "$work/pip" # Debian's Python has it in environments alone
"$work/pip/bin/python" -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --no-compile \
  --only-binary=:all: --python-version $version --platform manylinux2014_x86_64 \
  --target "$added/var/runtime" awslambdaric boto3
ln -s /usr/bin/python$version "$added/var/lang/bin/python$version"
echo root:x:0:0:root:/root:/bin/sh >"$added/etc/passwd"
echo root:x:0: >"$added/etc/group"
cat >"$added/var/runtime/bootstrap" <<BOOTSTRAP
#!/bin/sh
export AWS_EXECUTION_ENV=AWS_Lambda_python$version
export PYTHONPATH=/var/task:/opt/python/lib/python$version/site-packages:/opt/python:/var/runtime
exec /var/lang/bin/python$version -m awslambdaric "\$_HANDLER"
BOOTSTRAP
chmod 755 "$added/var/runtime/bootstrap"

# Packages are extracted, not configured, so the standard library's bytecode is made here. A shell
# and coreutils, because SAM's own Dockerfile runs mv and chmod; libstdc++ for SciPy.
mmdebstrap --quiet --variant=extract \
  --include=base-files,dash,coreutils,tzdata,libstdc++6,python$version \
  --aptopt='Acquire::Check-Valid-Until "false"' \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  --extract-hook="cp -a '$added/.' \"\$1/\"" \
  --extract-hook="chroot \"\$1\" /usr/bin/python$version -m compileall -q /usr/lib/python$version /var/runtime" \
  trixie "$work/root.tar"

docker import --platform linux/amd64 --change 'WORKDIR /var/task' \
  --change 'ENV LANG=C.UTF-8 PATH=/var/lang/bin:/usr/bin:/bin:/opt/bin LAMBDA_TASK_ROOT=/var/task LAMBDA_RUNTIME_DIR=/var/runtime LD_LIBRARY_PATH=/var/lang/lib:/var/runtime:/var/task:/var/task/lib:/opt/lib' \
  "$work/root.tar" "$image" >/dev/null
echo "made $image" >&2
