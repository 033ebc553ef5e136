#!/bin/sh
# Wrong: a limit under which small pictures pass and a page does not.
set -eu
docker rm -f darkroom >/dev/null
docker run -d --name darkroom --hostname darkroom --label bulkhead.role=darkroom -p 8081:8080 \
  --memory 16m --memory-swap 16m --cpus 0.5 --pids-limit 64 --restart on-failure:5 darkroom:1 >/dev/null
echo 'answer names ipc uts'
