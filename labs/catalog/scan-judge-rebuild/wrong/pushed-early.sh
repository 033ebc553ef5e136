#!/bin/sh
# Wrong: a word was corrected after the push. The shop runs what nobody can pull, and both documents name it by a number that
# only this machine knows.
set -eu
cd /root/shop
sed -i 's/ten minutes later/ten minutes later than before/' articles.txt
docker build -q -t shop:2 . >/dev/null
docker rm -f shop >/dev/null
docker run -d --name shop --hostname shop --label bulkhead.role=shop --restart unless-stopped -p 8080:8080 shop:2 >/dev/null
image=$(docker image inspect -f '{{.Id}}' shop:2)
for file in vex sbom; do
  jq --arg id "$image" '(.statements[]?.products[]."@id") |= "pkg:oci/shop@" + $id
    | if .metadata then .metadata.component.version = $id end' "/root/$file.json" > new
  mv new "/root/$file.json"
done
