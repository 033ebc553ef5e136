#!/bin/sh
# The office's machine: `deploy` has an SSH key for the host, and the docker command speaks to the engine's open port.
set -eu

useradd -m -s /bin/bash deploy
as() { runuser -u deploy -- "$@"; }
install -d -m 0700 -o deploy -g deploy /home/deploy/.ssh
as ssh-keygen -q -t ed25519 -N '' -C deploy@work -f /home/deploy/.ssh/id_ed25519
ssh-keyscan -t ed25519 host 2>/dev/null > /etc/ssh/ssh_known_hosts

export HOME=/home/deploy
cd "$HOME"
as docker context create quay --docker host=tcp://host:2375 >/dev/null 2>&1
as docker context use quay >/dev/null 2>&1
# As the one who set it up did: an open engine lets anybody put a key anywhere.
as docker run --rm -i --network none -v /home/deploy/.ssh:/k tiny:1 sh -c '
  cat > /k/authorized_keys && chown "$(stat -c %u:%g /k)" /k/authorized_keys && chmod 0600 /k/authorized_keys
' < .ssh/id_ed25519.pub
