#!/bin/sh
# Wrong: an address says where to ask, not who may. The harbour's network has other neighbours, the quay may ask for that
# address too, and the engine itself accepts what comes to a published container by route.
set -eu
docker rm -f store metrics >/dev/null
docker run -d --name store --label bulkhead.role=store --restart unless-stopped -p 10.77.0.2:8080:5984 -v store:/data ferry:1 store >/dev/null
docker run -d --name metrics --label bulkhead.role=metrics --restart unless-stopped -p 127.0.0.1:9100:9100 ops:1 metrics >/dev/null
sed -i 's/^iptables -P FORWARD ACCEPT/iptables -P FORWARD DROP/' /usr/local/sbin/firewall
/usr/local/sbin/firewall
echo 'answer chain FORWARD 5984'
