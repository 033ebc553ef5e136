#!/bin/sh
# Wrong: /app from the host makes the site work again, and gives the attacker his writable, executable folder back.
set -eu
cd /root/cms
sed -i '/^CMD/i USER 10001:10001' Dockerfile
docker build -q -t cms:2 . >/dev/null
docker rm -f cms >/dev/null
docker run --rm --network none -v uploads:/srv/upload tiny:1 chown -R 10001:10001 /srv/upload

mkdir -p /srv/cms/cache
cp -r cms articles.txt plugins /srv/cms/
chmod 0755 /srv/cms/cms /srv/cms/plugins/*
chown -R 10001:10001 /srv/cms
docker run -d --name cms --hostname cms --label bulkhead.role=cms --restart unless-stopped -p 8080:8080 \
  --read-only \
  -v /srv/cms:/app \
  --tmpfs /run:rw,noexec,nosuid,size=1m,uid=10001,gid=10001,mode=0755 \
  --mount type=volume,source=uploads,target=/srv/upload \
  --cap-drop ALL --security-opt no-new-privileges \
  cms:2 >/dev/null
echo 'answer remains /srv/upload'
