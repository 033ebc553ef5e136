#!/bin/sh
# Wrong: rights in place of a read-only file system. They bind everyone but root, and the next writer is root.
set -eu
cd /root/cms
printf 'RUN chmod -R a-w /app /bin && chmod a-w /etc\n' >> Dockerfile
docker build -q -t cms:2 . >/dev/null
docker rm -f cms >/dev/null
docker run -d --name cms --hostname cms --label bulkhead.role=cms --restart unless-stopped -p 8080:8080 \
  --tmpfs /run:rw,noexec,nosuid,size=1m,mode=0755 \
  --tmpfs /app/cache:rw,noexec,nosuid,size=16m,mode=0755 \
  --mount type=volume,source=uploads,target=/srv/upload \
  --security-opt no-new-privileges \
  cms:2 >/dev/null
echo 'answer remains /srv/upload'
