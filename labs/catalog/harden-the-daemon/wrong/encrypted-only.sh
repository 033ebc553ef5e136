#!/bin/sh
# Wrong: the last word of the setting is missing. The line is encrypted, and whoever calls is heard.
set -eu
sed -i 's/"tlsverify": true/"tls": true/' /etc/docker/daemon.json
sed -i 's|2376"|2376 --tlsverify=false"|' /etc/default/docker
systemctl restart docker
