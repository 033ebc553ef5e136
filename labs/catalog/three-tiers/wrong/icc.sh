#!/bin/sh
# Wrong: the default bridge without inter-container communication. Links punch the holes that are wanted, and nothing
# else changes: one flat network, with a way out and a way to the host.
set -eu
passport=$(curl -s http://127.0.0.1:5984/docs/crew/master | sed 's/.*passport=//')
echo "answer passport $passport"
printf '{ "icc": false }\n' > /etc/docker/daemon.json
systemctl restart docker
docker rm -f web api db >/dev/null
docker run -d --name db --hostname db --label bulkhead.role=db --restart unless-stopped \
  -v bookings:/data db:1 >/dev/null
docker run -d --name api --hostname api --label bulkhead.role=api --restart unless-stopped \
  --link db:db api:1 >/dev/null
docker run -d --name web --hostname web --label bulkhead.role=web --restart unless-stopped \
  --link api:api -p 10.77.0.2:8080:8080 web:1 >/dev/null
