#!/usr/bin/env bash
# checkov over template.yaml as it is written, and as CloudFormation gets it from SAM: functions,
# their roles and the API are plain resources only there. `make lint` runs it.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
.venv/bin/python -m local.transform >"$work/transformed.json"
.venv-checkov/bin/checkov --config-file .checkov.yaml --file template.yaml "$work/transformed.json"
