#!/bin/bash
set -eu
# Noted on the host: the releases that containers are made of.
used=("1.$((4 + BULKHEAD_BUILD / 42 % 2))" "1.$((6 + BULKHEAD_BUILD / 7 % 6))" "1.$((12 + BULKHEAD_BUILD / 84 % 4))+fix")

config=/etc/docker/registry/config.yml
sed -i 's/^storage:/storage:\n  delete:\n    enabled: true/' "$config"
systemctl restart docker-registry
board=localhost:5000/v2/board
until curl -fsS -o /dev/null localhost:5000/v2/ 2>/dev/null; do sleep 0.05; done

# Every manifest, with a tag or without: its digest, its release, its mark.
while read -r digest; do
  image=$(curl -fsS -H 'Accept: application/vnd.docker.distribution.manifest.v2+json' "$board/manifests/$digest" | jq -r .config.digest)
  curl -fsS "$board/blobs/$image" | jq -r --arg digest "$digest" '"\($digest) \(.config.Labels.release) \(.config.Labels.keep // "no")"'
done < <(ls /var/lib/docker-registry/docker/registry/v2/repositories/board/_manifests/revisions/sha256 | sed 's/^/sha256:/') > /root/manifests

mapfile -t last < <(awk '$2 ~ /^1\.[0-9]+$/ { print $2 }' /root/manifests | sort -uV | tail -n 3)
while read -r digest release keep; do
  [ "$keep" = true ] && continue
  printf '%s\n' "${used[@]}" "${last[@]}" | grep -qxF "$release" && continue
  curl -fsS -X DELETE "$board/manifests/$digest"
done < /root/manifests

# Nobody pushes while it collects, and it begins anew afterwards, as it remembers what it had.
systemctl stop docker-registry
docker-registry garbage-collect "$config" >/dev/null 2>&1
systemctl start docker-registry
