#!/bin/sh
# Wrong: meters can be fitted to a running container, walls cannot.
set -eu
docker update --memory 96m --memory-swap 96m --cpus 0.5 --pids-limit 64 --restart on-failure:5 darkroom >/dev/null
echo 'answer names ipc uts'
echo "answer minutes $(docker exec darkroom cat /dev/shm/minutes | sed 's/.*: //')"
