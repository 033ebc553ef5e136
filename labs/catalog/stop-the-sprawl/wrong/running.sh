#!/bin/bash
# Wrong: the right manifests are deleted. Then everything without a tag is collected, and the quay's image has none; and the
# registry goes on with what it remembers.
set -eu
used=("1.$((4 + BULKHEAD_BUILD / 42 % 2))" "1.$((6 + BULKHEAD_BUILD / 7 % 6))")
config=/etc/docker/registry/config.yml
sed -i 's/^storage:/storage:\n  delete:\n    enabled: true/' "$config"
systemctl restart docker-registry
board=localhost:5000/v2/board
until curl -fsS -o /dev/null localhost:5000/v2/ 2>/dev/null; do sleep 0.05; done
accept='Accept: application/vnd.docker.distribution.manifest.v2+json'
mapfile -t tags < <(curl -fsS "$board/tags/list" | jq -r '.tags[]')
mapfile -t last < <(printf '%s\n' "${tags[@]}" | grep -E '^1\.[0-9]+$' | sort -V | tail -n 3)
digest() { curl -sI -H "$accept" "$board/manifests/$1" | tr -d '\r' | sed -n 's/^Docker-Content-Digest: //Ip'; }
stay=$(for tag in "${used[@]}" "${last[@]}" "storm-$BULKHEAD_BERTH"; do digest "$tag"; done)
for tag in "${tags[@]}"; do
  digest=$(digest "$tag")
  [ -z "$digest" ] || grep -qxF "$digest" <<< "$stay" || curl -fsS -X DELETE "$board/manifests/$digest"
done
# The build server asks before it pushes, and the registry remembers what it answered.
for blob in /var/lib/docker-registry/docker/registry/v2/repositories/board/_layers/sha256/*; do
  curl -sI -o /dev/null "$board/blobs/sha256:${blob##*/}"
done
docker-registry garbage-collect -m "$config" >/dev/null 2>&1
