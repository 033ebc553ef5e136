#!/bin/sh
# Wrong: dev1 has what he asked for at the TLS port, and the robot has nothing. And dev1 kept the group, which needs no
# certificate: the doorman takes him for `local`.
set -eu
echo "answer flag $(sed 's/.*: //' /root/keys)"
rm /etc/sudoers.d/90-dev1
cat > /etc/doorman/policy <<'POLICY'
allow  local  any   **
allow  dev1   HEAD  /_ping
allow  dev1   GET   /containers/json
allow  dev1   GET   /containers/*/json     if label team=web
allow  dev1   GET   /containers/*/logs     if label team=web
allow  dev1   POST  /containers/*/restart  if label team=web
POLICY
systemctl enable --now doorman.service >/dev/null 2>&1
printf '{ "authorization-plugins": ["doorman"] }\n' > /etc/docker/daemon.json
systemctl restart docker.service
echo 'answer down refused'
