#!/bin/sh
# Wrong: the limits are on the one who suffers. Whoever makes the trouble still has the whole machine.
set -eu
docker rm -f darkroom site >/dev/null
docker run -d --name site --hostname site --label bulkhead.role=site --restart unless-stopped -p 8080:8080 \
  --memory 96m --memory-swap 96m --cpus 0.5 --pids-limit 64 site:1 >/dev/null
docker run -d --name darkroom --hostname darkroom --label bulkhead.role=darkroom -p 8081:8080 \
  --restart on-failure:5 darkroom:1 >/dev/null
echo 'answer names ipc uts'
