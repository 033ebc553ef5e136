#!/bin/sh
# Wrong: INPUT is for what is meant for this machine, and what is meant for a container is not.
set -eu
cat >> /usr/local/sbin/firewall <<'RULES'
iptables -I INPUT -i ext0 -p tcp --dport 8080 -j DROP
iptables -I INPUT -i ext0 -p tcp --dport 5984 -j DROP
iptables -I INPUT -i ext0 -d 172.17.0.0/16 -j DROP
RULES
/usr/local/sbin/firewall
echo 'answer chain INPUT 8080'
