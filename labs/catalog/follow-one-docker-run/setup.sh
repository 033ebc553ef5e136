#!/bin/sh
# Two containers that the engine knows, and one that only containerd does.
set -eu

docker run -d --name web --hostname web --label bulkhead.role=web --restart unless-stopped -p 8080:8080 web:1 >/dev/null
docker run -d --name clock --hostname clock --label bulkhead.role=clock --restart unless-stopped -p 123:123/udp clock:1 >/dev/null

root=/var/lib/$BULKHEAD_BASIN
mkdir -p "$root/root"
docker create --name seed --network none tiny:1 >/dev/null
docker export seed | tar -x -C "$root/root"
docker rm seed >/dev/null
ctr -n "$BULKHEAD_BASIN" run -d --rootfs "$root/root" "$BULKHEAD_WHARF-$BULKHEAD_LANTERN" \
  /bin/httpd -f -p 127.0.0.1:7070 -h /srv </dev/null >/dev/null

mkdir -p /root/answers
cat > /root/answers/template.json <<'JSON'
{
  "pid": 0,
  "net": "the number in net:[...]",
  "cgroup": "/...",
  "upper": "/var/lib/docker/...",
  "shim": 0,
  "config": "sha256:..."
}
JSON

for _ in $(seq 50); do
  curl -fsS -o /dev/null http://127.0.0.1:8080/healthz 2>/dev/null && exit 0
  sleep 0.1
done
echo "web does not answer: $(docker logs web 2>&1 | tail -n 3)" >&2
exit 1
