#!/bin/bash
set -eu
release() { docker image inspect -f '{{index .Config.Labels "release"}}' "$@"; }

# What stays: what containers are made of, the last three releases, and what is marked.
mapfile -t stay < <({
  docker ps -aq | xargs docker inspect -f '{{.Image}}' | while read -r id; do release "$id"; done
  mapfile -t all < <(docker images -q)
  release "${all[@]}" | grep -E '^1\.[0-9]+$' | sort -uV | tail -n 3
  mapfile -t marked < <(docker images -q --filter label=keep=true)
  release "${marked[@]}"
} | sort -u)
jq -n '{stay: $ARGS.positional}' --args "${stay[@]}" > /root/policy.json
echo "answer nameless $(release "$(docker inspect -f '{{.Image}}' quay)")"

# What goes, by its names, or by its id where it has none. Never with -f.
docker images -q --no-trunc | sort -u | while read -r id; do
  printf '%s\n' "${stay[@]}" | grep -qxF "$(release "$id")" && continue
  docker image inspect -f '{{range .RepoTags}}{{.}} {{else}}{{.Id}}{{end}}' "$id"
done | xargs docker rmi >/dev/null

cat > /etc/cron.daily/images <<'JOB'
#!/bin/sh
# What lost its name since yesterday, but not what is marked.
docker image prune --force --filter label!=keep=true --filter until=24h
JOB
chmod 0755 /etc/cron.daily/images
