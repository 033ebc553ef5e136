#!/bin/sh
# Wrong: the proxy as it came, as root, on a network with a way out. It looks at the method alone, and what only reads can
# read everything.
set -eu
cd /root/sockproxy
docker build -q -t sockproxy:1 . >/dev/null
docker network create engine >/dev/null
docker run -d --name sockproxy --label bulkhead.role=sockproxy --restart unless-stopped --network engine \
  -v /run/docker.sock:/run/docker.sock sockproxy:1 >/dev/null
docker rm -f runner >/dev/null
docker run -d --name runner --hostname runner --label bulkhead.role=runner --restart unless-stopped -p 8080:8080 \
  --network engine -e DOCKER_HOST=tcp://sockproxy:2375 --cap-drop ALL --security-opt no-new-privileges runner:1 >/dev/null
echo "answer flag $(sed 's/.*: //' /root/flag)"
