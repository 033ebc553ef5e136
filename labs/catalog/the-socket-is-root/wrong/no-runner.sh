#!/bin/sh
# Wrong: what is not there cannot be attacked. Nor does it list anything.
set -eu
docker rm -f runner >/dev/null
echo "answer flag $(sed 's/.*: //' /root/flag)"
