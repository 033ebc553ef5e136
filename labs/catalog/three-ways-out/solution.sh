#!/bin/sh
set -eu

# Three ways out, each from within its container.
key() { sed 's/.*: //'; }
echo "answer nsenter $(docker exec backup nsenter -t 1 -m -- cat /root/nsenter.key | key)"
echo "answer proc $(docker exec metrics cat /proc/1/root/root/proc.key | key)"
echo "answer hidden $(docker exec ntp sh -c 'umount /srv && cat /srv/third.key' | key)"

docker rm -f backup metrics ntp >/dev/null
least='--restart unless-stopped --cap-drop ALL --security-opt no-new-privileges'

# Reading what belongs to anybody is one capability.
docker run -d --name backup --hostname backup --label bulkhead.role=backup $least -p 9000:9000 \
  --cap-add DAC_READ_SEARCH -v uploads:/data:ro ops:1 backup >/dev/null
# The processes of one container are in that container's pid namespace.
docker run -d --name metrics --hostname metrics --label bulkhead.role=metrics $least -p 9100:9100 \
  --pid=container:site --user 10003:10003 ops:1 metrics >/dev/null
# A port under 1024 is one capability, and inside a container with a network of its own not even that.
docker run -d --name ntp --hostname ntp --label bulkhead.role=ntp $least -p 123:123/udp \
  --user 10004:10004 ops:1 ntp >/dev/null
