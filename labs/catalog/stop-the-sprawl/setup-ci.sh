#!/bin/sh
# The build server knows the registry well, and is in the middle of a push.
set -eu
cd /srv
until nc -d host 5002 > lists.tar 2>/dev/null; do sleep 0.05; done
tar -xf lists.tar
sort -o stay.tags stay.tags
for list in stay go; do ask HEAD $list.blobs; ask HEAD $list.manifests; done > asked
location=$(curl -fsS -D - -o /dev/null -X POST http://registry:5000/v2/board/blobs/uploads/ | tr -d '\r' | sed -n 's/^Location: //Ip')
head -c 100000 /dev/urandom |
  curl -fsS -D - -o /dev/null -X PATCH -H 'Content-Type: application/octet-stream' --data-binary @- "$location" |
  tr -d '\r' | sed -n 's/^Location: //Ip' > upload
