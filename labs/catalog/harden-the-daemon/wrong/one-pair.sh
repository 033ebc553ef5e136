#!/bin/sh
# Wrong: one pair for all. Whoever has it is the server, the client, and the authority that makes more of both.
set -eu

# One that is its own authority, and everybody's.
mkdir -p /root/tls
cd /root/tls
openssl ecparam -name prime256v1 -genkey -noout -out key.pem
openssl req -x509 -new -key key.pem -days 3650 -subj /CN=host -addext subjectAltName=DNS:host -out cert.pem
cp cert.pem ca.pem
chmod 0644 ./*.pem
install -d -m 0755 /etc/docker/tls
cp ./*.pem /etc/docker/tls/
chmod 0400 /etc/docker/tls/key.pem
cp ./*.pem /home/deploy/
