#!/bin/sh
# A machine on which one developer got what he needed, three times, each time in a hurry.
set -eu

useradd -m -s /bin/bash -G docker dev1
printf 'dev1 ALL=(root) NOPASSWD: /usr/bin/docker *\n' > /etc/sudoers.d/90-dev1
chmod 0440 /etc/sudoers.d/90-dev1
printf 'Keys of the harbour master: %s\n' "$BULKHEAD_FLAG" > /root/keys
chmod 0600 /root/keys

# Certificates: the engine's, and one for each who may speak to it from elsewhere.
tls=/etc/docker/tls
mkdir -p -m 0700 "$tls"
cd "$tls"
openssl ecparam -name prime256v1 -genkey -noout -out ca-key.pem
openssl req -x509 -new -key ca-key.pem -days 30 -subj '/CN=Skerry Line CA' -out ca.pem
issue() {
  openssl ecparam -name prime256v1 -genkey -noout -out "$1-key.pem"
  printf 'extendedKeyUsage=%s\nsubjectAltName=%s\n' "$2" "$3" > "$1.ext"
  openssl req -new -key "$1-key.pem" -subj "/CN=$1" |
    openssl x509 -req -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 30 -extfile "$1.ext" -out "$1.pem" 2>/dev/null
  rm "$1.ext"
}
issue host serverAuth 'DNS:host,DNS:localhost,IP:127.0.0.1'
issue dev1 clientAuth 'DNS:dev1'
issue robot clientAuth 'DNS:robot'
chmod 0400 ./*-key.pem
mkdir -p /etc/systemd/system/docker.service.d
cat > /etc/systemd/system/docker.service.d/tls.conf <<'UNIT'
[Service]
ExecStart=
ExecStart=/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock -H tcp://127.0.0.1:2376 --tlsverify --tlscacert /etc/docker/tls/ca.pem --tlscert /etc/docker/tls/host.pem --tlskey /etc/docker/tls/host-key.pem
UNIT
systemctl daemon-reload
systemctl restart docker.service

# The way that dev1 ought to take, made for him long ago: a context with a certificate of his own.
home=/home/dev1/.docker
mkdir -p "$home"
cp ca.pem "$home/ca.pem"
cp dev1.pem "$home/cert.pem"
mv dev1-key.pem "$home/key.pem"
chown -R dev1:dev1 "$home"
chmod -R go= "$home"
runuser -l dev1 -c "docker context create line --docker host=tcp://127.0.0.1:2376,ca=$home/ca.pem,cert=$home/cert.pem,key=$home/key.pem" >/dev/null

# Ready, and not in use.
install -m 0755 /opt/doorman/doorman /usr/local/bin/doorman
mkdir -p /etc/doorman
cp /opt/doorman/policy /etc/doorman/policy
cp /opt/doorman/doorman.service /etc/systemd/system/doorman.service
systemctl daemon-reload

docker run -d --name "board-$BULKHEAD_QUAY" --label bulkhead.role=board --label team=web --restart unless-stopped \
  -p 8080:8080 board:1 >/dev/null
docker run -d --name "keys-$BULKHEAD_QUAY" --label bulkhead.role=keys --label team=db --restart unless-stopped \
  -v keys:/data db:1 >/dev/null
