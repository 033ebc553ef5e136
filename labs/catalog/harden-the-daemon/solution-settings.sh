#!/bin/sh
# Then the daemon's settings, and whoever else had a say in them.
set -eu

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
