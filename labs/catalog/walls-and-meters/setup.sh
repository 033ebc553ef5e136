#!/bin/sh
# Website and picture desk on one machine. The desk was to be "as fast as on the machine itself", so its walls were taken down.
set -eu

printf 'Minutes of the harbour board, in confidence: %s\n' "$BULKHEAD_MINUTES" > /dev/shm/minutes
chmod 0644 /dev/shm/minutes

docker run -d --name site --hostname site --label bulkhead.role=site --restart unless-stopped -p 8080:8080 site:1 >/dev/null
docker run -d --name darkroom --label bulkhead.role=darkroom --restart always -p 8081:8080 \
  --ipc=host --uts=host darkroom:1 >/dev/null

for _ in $(seq 50); do
  curl -fsS -o /dev/null http://127.0.0.1:8080/healthz 2>/dev/null &&
    curl -fsS -o /dev/null http://127.0.0.1:8081/healthz 2>/dev/null && exit 0
  sleep 0.1
done
echo "a service does not answer: $(docker ps -a --format '{{.Names}} {{.Status}}')" >&2
exit 1
