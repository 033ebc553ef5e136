#!/bin/sh
# The quay's departure board as its last author built it: the token of the depot in three places of the image.
set -eu

# The depot, and what its token opens.
mkdir -p /srv/depot
printf '%s\n' "$BULKHEAD_TOKEN" > /srv/depot/token
cat > /srv/depot/timetable <<TIMETABLE
# Winter timetable of the Skerry Line
05.50 $BULKHEAD_BOAT Holm
07.10 mail-boat Outer-Skerries
13.30 cattle-boat Lund-Holm
23.45 night-ferry Holm
TIMETABLE
cp /opt/depot/depot.service /etc/systemd/system/depot.service
systemctl daemon-reload
systemctl enable --now depot.service >/dev/null 2>&1

printf '%s\n' "$BULKHEAD_TOKEN" > /root/board/depot.token
chmod 0644 /root/board/depot.token
docker tag debian:13 debian:latest

# Its first lines were run elsewhere, where packages can be had; the rest is as in /root/board/Dockerfile.
{
  echo 'FROM before:1'
  sed -n '/^ARG/,$p' /root/board/Dockerfile
} | docker build -q -f - --build-arg "DEPOT_TOKEN=$BULKHEAD_TOKEN" -t board:1 /root/board >/dev/null
docker rmi before:1 >/dev/null
docker run -d --name board --hostname board --label bulkhead.role=board --restart unless-stopped \
  -p 8080:8080 board:1 >/dev/null

for _ in $(seq 50); do
  curl -fsS -o /dev/null http://127.0.0.1:8080/healthz 2>/dev/null && exit 0
  sleep 0.1
done
echo "board does not answer: $(docker logs board 2>&1 | tail -n 3)" >&2
exit 1
