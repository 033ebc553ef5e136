#!/bin/sh
# The Gazette's build machine as its developers like it: the runner has the engine's socket, "read-only, so it is safe".
set -eu

printf 'By order of the harbour board: %s\n' "$BULKHEAD_FLAG" > /root/flag
chmod 0600 /root/flag

docker run -d --name payroll --hostname payroll --label bulkhead.role=payroll --restart unless-stopped --stop-signal KILL --network none \
  -e "PAYROLL_KEY=$BULKHEAD_KEY" tiny:1 \
  sh -c "mkdir -p /srv && printf 'harbour master  4 100\npilot  3 900\nstatement %s\n' '$BULKHEAD_STATEMENT' > /srv/payroll.txt && exec sleep 1000000" >/dev/null
docker run -d --name "build-$BULKHEAD_SHIP" --label bulkhead.role=build --restart unless-stopped --stop-signal KILL --network none \
  tiny:1 sleep 1000000 >/dev/null
docker run -d --name runner --hostname runner --label bulkhead.role=runner --restart unless-stopped -p 8080:8080 \
  -v /run/docker.sock:/run/docker.sock:ro --group-add "$(stat -c %g /run/docker.sock)" runner:1 >/dev/null

for _ in $(seq 50); do
  curl -fsS -o /dev/null http://127.0.0.1:8080/status 2>/dev/null && exit 0
  sleep 0.1
done
echo "the runner does not answer: $(docker logs runner 2>&1 | tail -n 3)" >&2
exit 1
