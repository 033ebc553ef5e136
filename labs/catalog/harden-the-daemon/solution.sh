#!/bin/sh
# Then on the host: a CA for this purpose alone, a certificate each for the server and for deploy, and the daemon's settings.
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

cat > /etc/docker/daemon.json <<'JSON'
{
  "tlsverify": true,
  "tlscacert": "/etc/docker/tls/ca.pem",
  "tlscert": "/etc/docker/tls/cert.pem",
  "tlskey": "/etc/docker/tls/key.pem",
  "icc": false,
  "live-restore": true,
  "userland-proxy": false,
  "no-new-privileges": true,
  "log-opts": { "max-size": "10m", "max-file": "3" },
  "default-ulimits": { "nofile": { "Name": "nofile", "Soft": 1024, "Hard": 4096 } }
}
JSON
sed -i 's|^DOCKER_OPTS=.*|DOCKER_OPTS="-H tcp://0.0.0.0:2376"|' /etc/default/docker
chmod 0644 /etc/docker/daemon.json
chmod 0755 /etc/docker
rm -r /etc/systemd/system/docker.socket.d
for account in $(getent group docker | cut -d: -f4 | tr , ' '); do gpasswd -d "$account" docker >/dev/null; done

# What a container is created with it keeps, and a bridge in use stays as it is: so all are made again, on an engine that
# has just started with none.
board=$(docker ps --filter label=bulkhead.role=board --format '{{.Names}}')
depot=$(docker ps --filter label=bulkhead.role=depot --format '{{.Names}}')
docker rm -f "$board" "$depot" >/dev/null
systemctl daemon-reload
systemctl stop docker.socket docker.service
systemctl start docker.socket docker.service
docker run -d --name "$board" --hostname board --label bulkhead.role=board --restart unless-stopped \
  -p 8080:8080 board:1 >/dev/null
docker run -d --name "$depot" --hostname depot --label bulkhead.role=depot --restart unless-stopped \
  -p 8090:8090 -v depot:/srv/depot depot:1 >/dev/null
