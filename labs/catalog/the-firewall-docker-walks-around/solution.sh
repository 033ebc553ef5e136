#!/bin/sh
set -eu

# The way in, as from the quay: by the published port, and by the container's own address.
address() { docker inspect -f '{{.NetworkSettings.IPAddress}}' "$1"; }
field() { curl -fsS "http://$1" | sed 's/.*=//'; }
echo "answer safe $(field "$(address store):5984/docs/keys/safe")"
echo "answer entry $(field "$(address logbook):5984/docs/log/last")"
echo 'answer chain FORWARD 5984'

# What binds to one address needs no rule. By route the container is still there, which the rules below see to.
docker rm -f metrics >/dev/null
docker run -d --name metrics --label bulkhead.role=metrics --restart unless-stopped -p 127.0.0.1:9100:9100 ops:1 metrics >/dev/null

# The last lines opened what is forwarded, and emptied the chain that guards it.
office=$(sed -n 's/.*-s \([0-9.]*\) .*--dport 8080.*/\1/p' /usr/local/sbin/firewall)
sed -i '/^# The containers want to get out/,$d' /usr/local/sbin/firewall
cat >> /usr/local/sbin/firewall <<RULES
# What is for a container is forwarded, and never asks INPUT. DOCKER-USER is asked first, and the engine leaves it alone;
# before its first start the chain is not there yet.
iptables -N DOCKER-USER 2>/dev/null || iptables -F DOCKER-USER
iptables -A DOCKER-USER -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN
# From outside only through a published port: what nobody translated came by route.
iptables -A DOCKER-USER -i ext0 -m conntrack ! --ctstate DNAT -j REJECT
iptables -A DOCKER-USER -i eth0 -m conntrack ! --ctstate DNAT -j REJECT
# The store, by the port that was asked for: the office and nobody else.
iptables -A DOCKER-USER -i ext0 -p tcp -m conntrack --ctorigdstport 8080 --ctdir ORIGINAL -j REJECT
iptables -A DOCKER-USER -i eth0 -p tcp -m conntrack --ctorigdstport 8080 --ctdir ORIGINAL ! -s $office -j REJECT
iptables -A DOCKER-USER -j RETURN
# Between the networks nobody is to be forwarded at all. The engine's own rules let containers out.
iptables -P FORWARD DROP

# By IPv6 a program of the engine's takes the call, so there INPUT is asked.
ip6tables -P INPUT DROP
ip6tables -F INPUT
ip6tables -A INPUT -i lo -j ACCEPT
ip6tables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
ip6tables -A INPUT -p ipv6-icmp -j ACCEPT
ip6tables -A INPUT -p tcp --dport 80 -j ACCEPT
ip6tables -A INPUT -j REJECT
RULES
/usr/local/sbin/firewall
