#!/bin/sh
# Wrong: the plugin is asked, and its policy forbids two of the many ways to say "give me the machine".
set -eu
echo "answer flag $(sed 's/.*: //' /root/keys)"
gpasswd -d dev1 docker >/dev/null
rm /etc/sudoers.d/90-dev1
systemctl enable --now doorman.service >/dev/null 2>&1
printf '{ "authorization-plugins": ["doorman"] }\n' > /etc/docker/daemon.json
systemctl restart docker.service
echo 'answer down refused'
