#!/bin/sh
set -eu

# The way in, as the runner's own account: a container of our own that mounts the machine's root.
flag=$(docker exec runner docker run --rm --network none -v /:/host tiny:1 cat /host/root/flag | sed 's/.*: //')

# The runner asks for one thing; that is what the proxy lets through.
cd /root/sockproxy
printf 'GET /_ping\nGET /version\nGET /containers/json\n' > sockproxy.rules
docker build -q -t sockproxy:1 . >/dev/null

docker network create --internal engine >/dev/null
docker run -d --name sockproxy --label bulkhead.role=sockproxy --restart unless-stopped --network engine \
  --user "10002:$(stat -c %g /run/docker.sock)" --cap-drop ALL --security-opt no-new-privileges --read-only \
  -v /run/docker.sock:/run/docker.sock sockproxy:1 >/dev/null

docker rm -f runner >/dev/null
docker create --name runner --hostname runner --label bulkhead.role=runner --restart unless-stopped -p 8080:8080 \
  --network engine -e DOCKER_HOST=tcp://sockproxy:2375 \
  --cap-drop ALL --security-opt no-new-privileges runner:1 >/dev/null
docker network connect bridge runner
docker start runner >/dev/null

echo "answer flag $flag"
