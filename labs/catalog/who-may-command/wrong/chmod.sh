#!/bin/sh
# Wrong: the program is taken away from him. It is a client like any other, sudo still runs it for him, and the engine
# answers to whoever speaks HTTP.
set -eu
echo "answer flag $(sed 's/.*: //' /root/keys)"
gpasswd -d dev1 docker >/dev/null
chmod 0700 /usr/bin/docker
echo 'answer down refused'
