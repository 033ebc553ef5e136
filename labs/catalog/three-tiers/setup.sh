#!/bin/sh
# The Skerry Line as it grew: everything on the default bridge, tied together by --link, the store open to everybody.
set -eu

docker volume create bookings >/dev/null
docker run -d --name db --hostname db --label bulkhead.role=db --restart unless-stopped \
  -p 5984:5984 -v bookings:/data db:1 >/dev/null
docker run -d --name api --hostname api --label bulkhead.role=api --restart unless-stopped \
  --link db:db api:1 >/dev/null
docker run -d --name web --hostname web --label bulkhead.role=web --restart unless-stopped \
  --link api:api --link db:db -p 8080:8080 web:1 >/dev/null
docker run -d --name "debug-$BULKHEAD_VISITOR" --label bulkhead.role=debug --restart unless-stopped \
  --network host --stop-signal SIGKILL tiny:1 sleep 2000000000 >/dev/null

for _ in $(seq 50); do
  curl -fsS -o /dev/null http://127.0.0.1:5984/ 2>/dev/null && break
  sleep 0.1
done
put() { curl -fsS -o /dev/null -X PUT -d "$2" "http://127.0.0.1:5984/docs/$1"; }
put sailings/night-ferry 'title=Night+ferry+to+Holm%2C+23.45'
put sailings/mail-boat 'title=Mail+boat+to+the+outer+skerries%2C+07.10'
put sailings/cattle-boat 'title=Cattle+boat+to+Lund+Holm%2C+Thursdays'
put "bookings/$BULKHEAD_PARTY" "name=A+party+of+twelve+from+$BULKHEAD_VISITOR&sailing=night-ferry"
put crew/mate 'name=Peder+Lund&passport=k4471902'
put crew/master "name=Ragna+Holt&passport=$BULKHEAD_PASSPORT"
curl -fsS -o /dev/null http://127.0.0.1:8080/
