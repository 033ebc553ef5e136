#!/bin/sh
# The Harbour Gazette as its last administrator left it: as root, writable everywhere, with a visitor's present inside.
set -eu

docker volume create uploads >/dev/null
docker run --rm -i --network none -v uploads:/srv/upload tiny:1 sh -c 'cat > /srv/upload/berths.txt' <<LIST
Berth list of the harbour board, left by a reader
pier one    trawlers
pier four   night ferry
pier seven  $BULKHEAD_BERTH, by order $BULKHEAD_FLAG
LIST
docker run -d --name cms --hostname cms --label bulkhead.role=cms --restart unless-stopped \
  -p 8080:8080 -v uploads:/srv/upload cms:1 >/dev/null

for _ in $(seq 50); do
  curl -fsS -o /dev/null http://127.0.0.1:8080/healthz 2>/dev/null && exit 0
  sleep 0.1
done
echo "cms does not answer: $(docker logs cms 2>&1 | tail -n 3)" >&2
exit 1
