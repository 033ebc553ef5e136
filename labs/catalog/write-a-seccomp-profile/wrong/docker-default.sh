#!/bin/sh
# Wrong: better than before, and made for every program there is, not for this one.
set -eu
docker rm -f thumb >/dev/null
docker run -d --name thumb --hostname thumb --label bulkhead.role=thumb --restart unless-stopped -p 8080:8080 \
  --cap-drop ALL --security-opt no-new-privileges thumb:1 >/dev/null
echo 'answer call unshare'
