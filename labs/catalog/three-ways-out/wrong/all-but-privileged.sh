#!/bin/sh
# Wrong: the word "privileged" is gone, and everything that it means was asked for one by one.
set -eu
docker rm -f backup metrics ntp >/dev/null
docker run -d --name backup --hostname backup --label bulkhead.role=backup --restart unless-stopped -p 9000:9000 \
  --cap-add ALL --security-opt no-new-privileges --security-opt seccomp=unconfined --pid=host -v uploads:/data ops:1 backup >/dev/null
docker run -d --name metrics --hostname metrics --label bulkhead.role=metrics --restart unless-stopped -p 9100:9100 \
  --pid=host --security-opt no-new-privileges ops:1 metrics >/dev/null
docker run -d --name ntp --hostname ntp --label bulkhead.role=ntp --restart unless-stopped -p 123:123/udp \
  --cap-add ALL --security-opt no-new-privileges ops:1 ntp >/dev/null
