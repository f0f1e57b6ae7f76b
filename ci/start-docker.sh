#!/usr/bin/env bash
# Sees to it that a Docker daemon answers. On a Debian machine, as root, it installs and starts one;
# never a second one beside the first, whose bridge it would delete.
set -euo pipefail
docker info >/dev/null 2>&1 && exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "No Docker daemon answers, and only root on Debian can start one from here." >&2
  exit 1
fi

if ! command -v dockerd >/dev/null || ! command -v iptables >/dev/null; then
  echo "installing docker.io" >&2
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    docker.io iptables >/dev/null
fi

log=$(mktemp /tmp/dockerd.XXXXXX.log)
setsid nohup dockerd >"$log" 2>&1 </dev/null &
for _ in $(seq 300); do
  docker info >/dev/null 2>&1 && exit 0
  sleep 0.2
done
echo "dockerd did not start within a minute:" >&2
tail -20 "$log" >&2
exit 1
