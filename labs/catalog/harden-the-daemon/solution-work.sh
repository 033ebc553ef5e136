#!/bin/sh
# First on `work`, as deploy: see what anybody sees, and ask for a certificate. The private key stays where it is made.
set -eu
cd /home/deploy
runuser -l deploy -c '
  set -eu
  umask 077
  flag=$(docker run --rm -v /root:/h:ro tiny:1 cat /h/manifest | sed "s/.*: //")
  echo "answer flag $flag"
  openssl ecparam -name prime256v1 -genkey -noout -out .docker/key.pem
  openssl req -new -key .docker/key.pem -subj /CN=deploy -out deploy.csr
  scp -q deploy.csr host:
'
