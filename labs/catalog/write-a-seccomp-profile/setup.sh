#!/bin/sh
# The picture desk as it was left after somebody had seen "operation not permitted" once: nothing filters its system calls.
set -eu
docker run -d --name thumb --hostname thumb --label bulkhead.role=thumb --restart unless-stopped -p 8080:8080 \
  --security-opt seccomp=unconfined thumb:1 >/dev/null
for _ in $(seq 50); do
  curl -fsS -o /dev/null http://127.0.0.1:8080/healthz 2>/dev/null && exit 0
  sleep 0.1
done
echo "thumb does not answer: $(docker logs thumb 2>&1 | tail -n 3)" >&2
exit 1
