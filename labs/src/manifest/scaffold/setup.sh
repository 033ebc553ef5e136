#!/bin/bash
# Makes the untouched start. Variables are in the environment: BULKHEAD_FLAG.
set -eu
docker run -d --name web --label bulkhead.role=web -p 8080:8080 --restart unless-stopped web:1
