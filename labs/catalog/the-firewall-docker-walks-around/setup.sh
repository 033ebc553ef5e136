#!/bin/sh
# A machine whose firewall is right in every line, and is not asked.
set -eu

office=10.77.0.$((40 + BULKHEAD_SEAT % 200))
sed "s/^10\.77\.0\.10\([[:space:]]\)/$office\1/" /etc/hosts > /tmp/hosts
cat /tmp/hosts > /etc/hosts
rm /tmp/hosts
sed -i "s/@OFFICE@/$office/" /usr/local/sbin/firewall
mkdir -p /etc/systemd/system/docker.service.d
cat > /etc/systemd/system/docker.service.d/firewall.conf <<'UNIT'
[Service]
ExecStartPre=/usr/local/sbin/firewall
UNIT
systemctl daemon-reload

docker run -d --name store --label bulkhead.role=store --restart unless-stopped -p 8080:5984 -v store:/data ferry:1 store >/dev/null
docker run -d --name logbook --label bulkhead.role=logbook --restart unless-stopped -v logbook:/data ferry:1 store >/dev/null
docker run -d --name desk --label bulkhead.role=desk --restart unless-stopped -p 80:8080 -e CLERK_URL="http://$office:8000" ferry:1 desk >/dev/null
docker run -d --name metrics --label bulkhead.role=metrics --restart unless-stopped -p 9100:9100 ops:1 metrics >/dev/null

address() { docker inspect -f '{{.NetworkSettings.IPAddress}}' "$1"; }
put() { curl -fsS --retry 20 --retry-connrefused --retry-delay 0 -o /dev/null -X PUT -d "$3" "http://$(address "$1"):5984/docs/$2"; }
put store sailings/early-boat 'title=05.50+to+Holm'
put store sailings/night-ferry 'title=22.15+to+Skerry'
put store keys/safe "number=$BULKHEAD_FLAG"
put logbook log/last "entry=$BULKHEAD_ENTRY"

/usr/local/sbin/firewall
