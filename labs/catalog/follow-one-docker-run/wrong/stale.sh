#!/bin/sh
# Wrong: everything was right, and then the container was started again. A PID is the number of one process, not of a container.
set -eu
ask() { curl -fsS --unix-socket /run/docker.sock -X POST -H 'Content-Type: application/json' "$@"; }
ask -d '{"Image": "web:1", "Labels": {"bulkhead.role": "viaapi"}}' 'http://engine/containers/create?name=viaapi' >/dev/null
ask http://engine/containers/viaapi/start
pid=$(docker inspect -f '{{.State.Pid}}' web)
jq -n --argjson pid "$pid" --arg net "$(readlink "/proc/$pid/ns/net" | tr -dc '0-9')" \
  --arg cgroup "/docker/$(docker inspect -f '{{.Id}}' web)" --arg upper "$(docker inspect -f '{{.GraphDriver.Data.UpperDir}}' web)" \
  --argjson shim "$(awk '/^PPid/ { print $2 }' "/proc/$pid/status")" --arg config "$(docker inspect -f '{{.Image}}' web)" \
  '{pid: $pid, net: $net, cgroup: $cgroup, upper: $upper, shim: $shim, config: $config}' > /root/answers/web.json
docker restart -t 1 web >/dev/null
