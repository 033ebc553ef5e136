#!/bin/sh
# Wrong: an AppArmor profile by name, on a kernel that has none to load, and read-only where it does not matter.
set -eu
docker rm -f backup metrics ntp >/dev/null
docker run -d --name backup --hostname backup --label bulkhead.role=backup --restart unless-stopped -p 9000:9000 \
  --privileged --pid=host --read-only -v uploads:/data:ro ops:1 backup >/dev/null
docker run -d --name metrics --hostname metrics --label bulkhead.role=metrics --restart unless-stopped -p 9100:9100 \
  --pid=host --cap-add SYS_PTRACE --security-opt apparmor=docker-default --read-only ops:1 metrics >/dev/null
docker run -d --name ntp --hostname ntp --label bulkhead.role=ntp --restart unless-stopped -p 123:123/udp \
  --cap-add SYS_ADMIN --security-opt apparmor=docker-default --read-only --tmpfs /srv:ro,size=64k ops:1 ntp >/dev/null
