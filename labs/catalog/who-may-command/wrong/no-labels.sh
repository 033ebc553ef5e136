#!/bin/sh
# Wrong: a list of what he may do, without saying to what. And the line in sudoers was overlooked.
set -eu
echo "answer flag $(sed 's/.*: //' /root/keys)"
gpasswd -d dev1 docker >/dev/null
cat > /etc/doorman/policy <<'POLICY'
allow  local  any   **
allow  robot  any   **
allow  dev1   HEAD  /_ping
allow  dev1   GET   /containers/json
allow  dev1   GET   /containers/*/json
allow  dev1   GET   /containers/*/logs
allow  dev1   POST  /containers/*/restart
POLICY
systemctl enable --now doorman.service >/dev/null 2>&1
printf '{ "authorization-plugins": ["doorman"] }\n' > /etc/docker/daemon.json
systemctl restart docker.service
echo 'answer down refused'
