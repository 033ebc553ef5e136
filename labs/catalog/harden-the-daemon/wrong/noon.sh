#!/bin/sh
# Wrong: everything is written down, and nothing is stopped for it. What runs keeps what it was created with, and the bridge
# that it hangs on stays as it is.
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

# live-restore is one of the few keys that a reload takes; from here on no restart stops a container.
systemctl daemon-reload
kill -HUP "$(cat /run/docker.pid)"
until docker info 2>/dev/null | grep -q 'Live Restore Enabled: true'; do sleep 0.1; done
systemctl stop docker.socket docker.service
systemctl start docker.socket docker.service
