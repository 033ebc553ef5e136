#!/bin/sh
# Wrong: every wall is where it should be, and the volume was forgotten: the line sails with empty books.
set -eu
passport=$(curl -s http://127.0.0.1:5984/docs/crew/master | sed 's/.*passport=//')
echo "answer passport $passport"
docker network create front >/dev/null
docker network create --internal -o com.docker.network.bridge.inhibit_ipv4=true back >/dev/null
docker ps -aq --filter network=host | xargs docker rm -f >/dev/null
docker rm -f web api db >/dev/null
docker run -d --name db --hostname db --label bulkhead.role=db --restart unless-stopped \
  --network back db:1 >/dev/null
docker create --name api --hostname api --label bulkhead.role=api --restart unless-stopped \
  --network front api:1 >/dev/null
docker network connect back api
docker start api >/dev/null
docker run -d --name web --hostname web --label bulkhead.role=web --restart unless-stopped \
  --network front -p 10.77.0.2:8080:8080 web:1 >/dev/null
