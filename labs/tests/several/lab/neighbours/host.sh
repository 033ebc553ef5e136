#!/bin/bash
set -eu
docker run -d --name web --label bulkhead.role=web -p 8080:80 layers:1 \
  sh -c "echo $BULKHEAD_FLAG > /flag && exec httpd -f -p 80 -h /" > /dev/null
