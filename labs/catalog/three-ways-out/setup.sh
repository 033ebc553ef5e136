#!/bin/sh
# The site and its three helpers, each with the flag that made an error message go away.
set -eu

for door in nsenter proc; do
  flag=BULKHEAD_$(echo "$door" | tr a-z A-Z)
  eval "printf 'key of the %s door: %s\n' '$door' \"\$$flag\"" > "/root/$door.key"
  chmod 0600 "/root/$door.key"
done

docker volume create uploads >/dev/null
docker run --rm -i --network none -v uploads:/data tiny:1 sh -c '
  mkdir /data/letters && cat > /data/letters/subscribers.csv &&
  chown -R 10001:10001 /data && chown 10002:10002 /data/letters/subscribers.csv && chmod 0600 /data/letters/subscribers.csv' <<LIST
number,berth
$BULKHEAD_SUBSCRIBER,$BULKHEAD_BERTH
LIST

common='--restart unless-stopped'
docker run -d --name site --hostname site --label bulkhead.role=site $common -p 8080:8080 \
  -v uploads:/srv/upload site:1 >/dev/null
docker run -d --name backup --hostname backup --label bulkhead.role=backup $common -p 9000:9000 \
  --privileged --pid=host -v uploads:/data ops:1 backup >/dev/null
docker run -d --name metrics --hostname metrics --label bulkhead.role=metrics $common -p 9100:9100 \
  --pid=host --cap-add SYS_PTRACE ops:1 metrics >/dev/null

# The last administrator hid a key as Docker hides /proc/acpi: with an empty tmpfs over it.
docker create --name ntp --hostname ntp --label bulkhead.role=ntp $common -p 123:123/udp \
  --cap-add SYS_ADMIN --tmpfs /srv:ro,size=64k ops:1 ntp >/dev/null
printf 'key of the third door: %s\n' "$BULKHEAD_MOUNT" > /tmp/third.key
docker cp -q /tmp/third.key ntp:/srv/third.key
rm /tmp/third.key
docker start ntp >/dev/null

for _ in $(seq 50); do
  curl -fsS -o /dev/null http://127.0.0.1:8080/healthz 2>/dev/null &&
    curl -fsS -o /dev/null http://127.0.0.1:9000/healthz 2>/dev/null &&
    curl -fsS -o /dev/null http://127.0.0.1:9100/healthz 2>/dev/null && exit 0
  sleep 0.1
done
echo "a service does not answer: $(docker ps -a --format '{{.Names}} {{.Status}}')" >&2
exit 1
