#!/bin/sh
# Wrong: everything is written down, and nothing is stopped for it. What runs keeps what it was created with, and the bridge
# that it hangs on stays as it is.
set -eu

# live-restore is one of the few keys that a reload takes; from here on no restart stops a container.
systemctl daemon-reload
kill -HUP "$(cat /run/docker.pid)"
until docker info 2>/dev/null | grep -q 'Live Restore Enabled: true'; do sleep 0.1; done
systemctl stop docker.socket docker.service
systemctl start docker.socket docker.service
