#!/bin/sh
# Wrong: memory is limited and swap is not, processors are weighed and not counted, and processes are forgotten.
set -eu
docker rm -f darkroom >/dev/null
docker run -d --name darkroom --hostname darkroom --label bulkhead.role=darkroom -p 8081:8080 \
  --memory 96m --memory-swap -1 --cpu-shares 128 --restart on-failure:5 darkroom:1 >/dev/null
echo 'answer names ipc uts'
