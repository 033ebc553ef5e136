#!/bin/sh
# Wrong: INPUT is asked now, as a program of the engine's accepts and connects on. What also went is the translation that
# containers need to get out, and all that keeps them apart.
set -eu
printf '{ "iptables": false }\n' > /etc/docker/daemon.json
cat >> /usr/local/sbin/firewall <<'RULES'
iptables -t nat -F
iptables -F FORWARD
iptables -P FORWARD DROP
RULES
systemctl restart docker.service
echo 'answer chain FORWARD 5984'
