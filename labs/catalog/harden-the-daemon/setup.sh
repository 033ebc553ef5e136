#!/bin/sh
# The quay's machine: an engine that is open to the network, and set up by trial and error.
set -eu

useradd -m -s /bin/bash deploy
install -d -m 0700 -o deploy -g deploy /home/deploy/.ssh
useradd -m -s /bin/bash -G docker "$BULKHEAD_GUEST"
printf 'Cargo of the night ferry, by order of the captain: %s\n' "$BULKHEAD_FLAG" > /root/manifest
chmod 0600 /root/manifest

# Everything that was ever tried, and nothing taken back.
chmod 0777 /etc/docker
cat > /etc/docker/daemon.json <<'JSON'
{
  "debug": true,
  "insecure-registries": ["0.0.0.0/0"],
  "live-restore": false
}
JSON
chmod 0666 /etc/docker/daemon.json
# --tls=false: without it the engine waits fifteen seconds at each start, and says why.
echo 'DOCKER_OPTS="-H tcp://0.0.0.0:2375 --tls=false"' >> /etc/default/docker
mkdir -p /etc/systemd/system/docker.socket.d
printf '[Socket]\nSocketMode=0666\n' > /etc/systemd/system/docker.socket.d/everybody.conf
systemctl daemon-reload
systemctl stop docker.socket docker.service
systemctl start docker.socket docker.service

docker run -d --name "board-$BULKHEAD_QUAY" --hostname board --label bulkhead.role=board --restart unless-stopped \
  -p 8080:8080 board:1 >/dev/null
docker volume create depot >/dev/null
docker run --rm -i --network none -v depot:/srv/depot tiny:1 sh -c '
  cat > /srv/depot/timetable; printf "%s\n" "$0" > /srv/depot/token; chown -R 10001:10001 /srv/depot
' "$BULKHEAD_TOKEN" <<TIMETABLE
# Summer timetable of the Skerry Line
05.50 $BULKHEAD_QUAY Holm
23.45 night-ferry Holm
TIMETABLE
docker run -d --name "depot-$BULKHEAD_QUAY" --hostname depot --label bulkhead.role=depot --restart unless-stopped \
  -p 8090:8090 -v depot:/srv/depot depot:1 >/dev/null

for _ in $(seq 50); do
  curl -fsS -o /dev/null http://127.0.0.1:8080/healthz 2>/dev/null &&
    curl -fsS -o /dev/null "http://127.0.0.1:8090/timetable?token=$BULKHEAD_TOKEN" 2>/dev/null && exit 0
  sleep 0.1
done
echo "a service does not answer: $(docker ps -a --format '{{.Names}} {{.Status}}')" >&2
exit 1
