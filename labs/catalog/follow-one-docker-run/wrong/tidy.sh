#!/bin/sh
# Wrong: the stranger was found and ended at once. Whose it was, and what it did, nobody will know now.
set -eu
for space in $(ctr namespaces ls -q); do
  test "$space" = moby && continue
  for id in $(ctr -n "$space" containers ls -q); do
    ctr -n "$space" tasks kill -s KILL "$id" || true
    ctr -n "$space" tasks rm "$id" >/dev/null 2>&1 || true
    ctr -n "$space" containers rm "$id" || true
    echo "answer hidden $id"
  done
done
chmod 0666 /run/docker.sock
docker run -d --name viaapi --label bulkhead.role=viaapi web:1 >/dev/null
