#!/bin/sh
# Wrong: no mount is called docker.sock any more; the folder that holds it is mounted instead, and read-only for good measure.
set -eu
docker rm -f runner >/dev/null
docker run -d --name runner --hostname runner --label bulkhead.role=runner --restart unless-stopped -p 8080:8080 \
  -v /run:/host/run:ro -e DOCKER_HOST=unix:///host/run/docker.sock --group-add "$(stat -c %g /run/docker.sock)" \
  --cap-drop ALL --security-opt no-new-privileges runner:1 >/dev/null
echo "answer flag $(sed 's/.*: //' /root/flag)"
