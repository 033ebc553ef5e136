#!/bin/sh
set -eu
# As dev1, through any of his doors.
flag=$(runuser -l dev1 -c 'sudo -n docker run --rm -v /root:/h:ro tiny:1 cat /h/keys' | sed 's/.*: //')
echo "answer flag $flag"

gpasswd -d dev1 docker >/dev/null
rm /etc/sudoers.d/90-dev1

cat > /etc/doorman/policy <<'POLICY'
allow  local  any   **
allow  robot  any   **

allow  dev1   HEAD  /_ping
allow  dev1   GET   /_ping
allow  dev1   GET   /version
allow  dev1   GET   /containers/json
allow  dev1   GET   /containers/*/json     if label team=web
allow  dev1   GET   /containers/*/logs     if label team=web
allow  dev1   POST  /containers/*/restart  if label team=web
POLICY
doorman check /etc/doorman/policy >/dev/null
systemctl enable --now doorman.service >/dev/null 2>&1
printf '{ "authorization-plugins": ["doorman"] }\n' > /etc/docker/daemon.json
systemctl restart docker.service
echo 'answer down it is refused as well'
