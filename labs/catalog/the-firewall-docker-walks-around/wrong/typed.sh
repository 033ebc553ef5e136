#!/bin/sh
# Wrong: all of it is right, until the engine starts again.
set -eu
office=$(sed -n 's/.*-s \([0-9.]*\) .*--dport 8080.*/\1/p' /usr/local/sbin/firewall)
docker rm -f metrics >/dev/null
docker run -d --name metrics --label bulkhead.role=metrics --restart unless-stopped -p 127.0.0.1:9100:9100 ops:1 metrics >/dev/null
iptables -I DOCKER-USER ! -i docker0 -p tcp -m conntrack --ctorigdstport 8080 --ctdir ORIGINAL ! -s "$office" -j REJECT
iptables -I DOCKER-USER ! -i docker0 -m conntrack ! --ctstate DNAT -j REJECT
iptables -I DOCKER-USER -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN
iptables -P FORWARD DROP
echo 'answer chain FORWARD 5984'
