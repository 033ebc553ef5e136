#!/bin/bash
# Wrong: folders of old tags are removed under the running registry, together with what looks like leavings. Manifests and
# blobs stay where they are, and the collector is never run.
set -eu
cd /var/lib/docker-registry/docker/registry/v2/repositories/board
mapfile -t old < <(cd _manifests/tags && printf '%s\n' * | sort -V | head -n -8)
for tag in "${old[@]}"; do
  digest=$(cat "_manifests/tags/$tag/current/link")
  rm -rf "_manifests/tags/$tag" "_manifests/revisions/sha256/${digest#sha256:}"
done
rm -rf _uploads
