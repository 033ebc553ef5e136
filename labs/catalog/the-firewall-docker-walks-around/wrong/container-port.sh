#!/bin/sh
# Wrong: in DOCKER-USER the port has been translated. 8080 is the desk's, which listens there in its container.
set -eu
office=$(sed -n 's/.*-s \([0-9.]*\) .*--dport 8080.*/\1/p' /usr/local/sbin/firewall)
cat >> /usr/local/sbin/firewall <<RULES
iptables -N DOCKER-USER 2>/dev/null || iptables -F DOCKER-USER
iptables -I DOCKER-USER ! -i docker0 -p tcp --dport 8080 ! -s $office -j REJECT
iptables -P FORWARD DROP
RULES
/usr/local/sbin/firewall
echo 'answer chain FORWARD 8080'
