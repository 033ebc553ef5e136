#!/bin/sh
# Wrong: the right networks, and neighbours nailed to the addresses that they have today. When containers start in
# another order, the clerk talks to whoever has got the store's address. The debug container stays, too.
set -eu
passport=$(curl -s http://127.0.0.1:5984/docs/crew/master | sed 's/.*passport=//')
echo "answer passport $passport"
docker network create front >/dev/null
docker network create --internal -o com.docker.network.bridge.inhibit_ipv4=true back >/dev/null
docker rm -f web api db >/dev/null
address() { docker inspect -f "{{(index .NetworkSettings.Networks \"$2\").IPAddress}}" "$1"; }
docker run -d --name db --hostname db --label bulkhead.role=db --restart unless-stopped \
  --network back -v bookings:/data db:1 >/dev/null
docker create --name api --hostname api --label bulkhead.role=api --restart unless-stopped \
  --network front --add-host "db:$(address db back)" api:1 >/dev/null
docker network connect back api
docker start api >/dev/null
docker run -d --name web --hostname web --label bulkhead.role=web --restart unless-stopped \
  --network front --add-host "api:$(address api front)" -p 10.77.0.2:8080:8080 web:1 >/dev/null
