#!/bin/sh
# Wrong: the network is internal, so it must be closed. The host has an address on its bridge all the same, and there is
# still a container on the host's own network.
set -eu
passport=$(curl -s http://127.0.0.1:5984/docs/crew/master | sed 's/.*passport=//')
echo "answer passport $passport"
docker network create front >/dev/null
docker network create --internal back >/dev/null
docker rm -f web api db >/dev/null
docker run -d --name db --hostname db --label bulkhead.role=db --restart unless-stopped \
  --network back -v bookings:/data db:1 >/dev/null
docker create --name api --hostname api --label bulkhead.role=api --restart unless-stopped \
  --network front api:1 >/dev/null
docker network connect back api
docker start api >/dev/null
docker run -d --name web --hostname web --label bulkhead.role=web --restart unless-stopped \
  --network front -p 10.77.0.2:8080:8080 web:1 >/dev/null
