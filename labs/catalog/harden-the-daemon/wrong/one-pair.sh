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
