#!/bin/sh
# Wrong: close. The backup got the capability that also writes, the exporter lost its target, and what the default set gives was left.
set -eu
docker rm -f backup metrics ntp >/dev/null
docker run -d --name backup --hostname backup --label bulkhead.role=backup --restart unless-stopped -p 9000:9000 \
  --cap-drop ALL --cap-add DAC_OVERRIDE --security-opt no-new-privileges -v uploads:/data ops:1 backup >/dev/null
docker run -d --name metrics --hostname metrics --label bulkhead.role=metrics --restart unless-stopped -p 9100:9100 \
  --cap-drop ALL --security-opt no-new-privileges ops:1 metrics >/dev/null
docker run -d --name ntp --hostname ntp --label bulkhead.role=ntp --restart unless-stopped -p 123:123/udp \
  --security-opt no-new-privileges ops:1 ntp >/dev/null
