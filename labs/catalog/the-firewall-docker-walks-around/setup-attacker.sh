#!/bin/sh
# Strangers come from anywhere.
set -eu
for last in $(seq 100 199); do
  printf 'address add 10.99.0.%s/24 dev eth0\n' "$last"
done | ip -batch -
