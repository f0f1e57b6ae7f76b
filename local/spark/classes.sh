#!/usr/bin/env bash
# Keeps the classes of a run as Java has read and checked them, which it does anew at each start else.
# Usage: local/spark/classes.sh ENVIRONMENT ARCHIVE
set -euo pipefail
environment=$PWD/$1 archive=$2
log=$(mktemp)
trap 'rm -f "$log" "$archive.begun"' EXIT

echo "Noting Spark's classes for Java (once)"
# Without another word of it: Java says of hundreds of classes why they are left out.
PYTHONPATH=functions:. PYSPARK_PYTHON=$environment/bin/python PYSPARK_DRIVER_PYTHON=$environment/bin/python \
  SPARK_LOCAL_IP=127.0.0.1 "$environment/bin/spark-submit" --master 'local[2]' --conf spark.ui.enabled=false \
  --driver-java-options "-XX:+UseSerialGC -XX:ArchiveClassesAtExit=$archive.begun" \
  local/spark/classes.py >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
mv -f "$archive.begun" "$archive"
