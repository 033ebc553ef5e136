#!/bin/sh
set -eu

# By the API alone: create, then start.
ask() { curl -fsS --unix-socket /run/docker.sock -X POST -H 'Content-Type: application/json' "$@"; }
ask -d '{"Image": "web:1", "Labels": {"bulkhead.role": "viaapi"}}' 'http://engine/containers/create?name=viaapi' >/dev/null
ask http://engine/containers/viaapi/start

pid=$(docker inspect -f '{{.State.Pid}}' web)
image=$(docker inspect -f '{{.Image}}' web)
jq -n \
  --argjson pid "$pid" \
  --arg net "$(readlink "/proc/$pid/ns/net" | tr -dc '0-9')" \
  --arg cgroup "$(sed -n 's/^[0-9]*:[^:]*pids[^:]*://p; s/^0:://p' "/proc/$pid/cgroup" | head -n 1)" \
  --arg upper "$(docker inspect -f '{{.GraphDriver.Data.UpperDir}}' web)" \
  --argjson shim "$(awk '/^PPid/ { print $2 }' "/proc/$pid/status")" \
  --arg config "sha256:$(sha256sum "/var/lib/docker/image/overlay2/imagedb/content/sha256/${image#sha256:}" | cut -d' ' -f1)" \
  '{pid: $pid, net: $net, cgroup: $cgroup, upper: $upper, shim: $shim, config: $config}' > /root/answers/web.json

for space in $(ctr namespaces ls -q); do
  test "$space" = moby || echo "answer hidden $(ctr -n "$space" containers ls -q)"
done
