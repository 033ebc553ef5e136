#!/bin/sh
# Wrong: the server's key is deploy's as well, and the copies are readable as they come.
set -eu
runuser -l deploy -c '
  set -eu
  cd .docker
  rm -f key.pem
  scp -q host:ca.pem host:cert.pem host:key.pem .
  chmod 0644 key.pem
  d=$PWD
  docker context update quay --docker "host=tcp://host:2376,ca=$d/ca.pem,cert=$d/cert.pem,key=$d/key.pem" >/dev/null 2>&1
  docker ps >/dev/null
'
