#!/bin/sh
# Then on the host: a CA for this purpose alone, and a certificate each for the server and for deploy.
set -eu

mkdir -p -m 0700 /root/ca
cd /root/ca
umask 077
openssl ecparam -name prime256v1 -genkey -noout -out ca-key.pem
openssl req -x509 -new -key ca-key.pem -days 365 -subj '/CN=quay engine CA' -out ca.pem
sign() { openssl x509 -req -in "$1" -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 90 -extfile "$2" -out "$3" 2>/dev/null; }

openssl ecparam -name prime256v1 -genkey -noout -out server-key.pem
openssl req -new -key server-key.pem -subj /CN=host -out server.csr
printf 'subjectAltName=DNS:host,IP:10.77.0.2\nextendedKeyUsage=serverAuth\n' > server.ext
sign server.csr server.ext server.pem
printf 'extendedKeyUsage=clientAuth\n' > client.ext
sign /home/deploy/deploy.csr client.ext deploy.pem

install -d -m 0755 /etc/docker/tls
install -m 0444 ca.pem /etc/docker/tls/ca.pem
install -m 0444 server.pem /etc/docker/tls/cert.pem
install -m 0400 server-key.pem /etc/docker/tls/key.pem
rm server-key.pem
install -m 0444 -o deploy ca.pem deploy.pem /home/deploy/
