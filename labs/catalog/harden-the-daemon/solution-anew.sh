#!/bin/sh
# What a container is created with it keeps, and a bridge in use stays as it is: so all are made again, on an engine that
# has just started with none.
set -eu
board=$(docker ps --filter label=bulkhead.role=board --format '{{.Names}}')
depot=$(docker ps --filter label=bulkhead.role=depot --format '{{.Names}}')
docker rm -f "$board" "$depot" >/dev/null
systemctl daemon-reload
systemctl stop docker.socket docker.service
systemctl start docker.socket docker.service
docker run -d --name "$board" --hostname board --label bulkhead.role=board --restart unless-stopped \
  -p 8080:8080 board:1 >/dev/null
docker run -d --name "$depot" --hostname depot --label bulkhead.role=depot --restart unless-stopped \
  -p 8090:8090 -v depot:/srv/depot depot:1 >/dev/null
