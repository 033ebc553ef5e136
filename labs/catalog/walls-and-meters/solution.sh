#!/bin/sh
set -eu

pid=$(docker inspect -f '{{.State.Pid}}' darkroom)
shared=
for kind in ipc mnt net pid uts; do
  test "$(readlink "/proc/$pid/ns/$kind")" = "$(readlink "/proc/1/ns/$kind")" && shared="$shared $kind"
done
echo "answer names$shared"
echo "answer minutes $(docker exec darkroom cat /dev/shm/minutes | sed 's/.*: //')"

docker rm -f darkroom >/dev/null
docker run -d --name darkroom --hostname darkroom --label bulkhead.role=darkroom -p 8081:8080 \
  --memory 96m --memory-swap 96m --cpus 0.5 --pids-limit 64 --restart on-failure:5 darkroom:1 >/dev/null
