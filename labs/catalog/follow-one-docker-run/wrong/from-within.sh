#!/bin/sh
# Wrong: asked inside the container. There it is process 1, its root is /, and its control group has no name.
set -eu
docker exec web true
jq -n --arg net "$(docker exec web readlink /proc/self/ns/net | tr -dc '0-9')" \
  '{pid: 1, net: $net, cgroup: "/", upper: "/", shim: 0, config: "web:1"}' > /root/answers/web.json
docker run -d --name viaapi --label bulkhead.role=viaapi web:1 >/dev/null
