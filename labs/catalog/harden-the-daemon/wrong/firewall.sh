#!/bin/sh
# Wrong: the port stays as it is, and only the office's address gets through to it. Everybody in the office is
# root. And so that the engine does not meddle, it loses its own rules.
set -eu
echo "answer flag $(sed 's/.*: //' /root/manifest)"
sed -i 's/"debug": true,/"iptables": false,/' /etc/docker/daemon.json
iptables -I INPUT -p tcp --dport 2375 ! -s 10.77.0.4 -j DROP
chmod 0755 /etc/docker
chmod 0644 /etc/docker/daemon.json
rm -r /etc/systemd/system/docker.socket.d
gpasswd -d "$BULKHEAD_GUEST" docker >/dev/null
systemctl daemon-reload
systemctl stop docker.socket docker.service
systemctl start docker.socket docker.service
