#!/bin/sh
set -eu
cd /root/board
token=$(docker image inspect board:1 | jq -r '.[0].Config.Env[]' | sed -n 's/^DEPOT_TOKEN=//p')
echo "answer found $token"
echo "answer where $(docker exec board grep -rlF "$token" /app /etc /srv /tmp)"

# Out of the build's reach; the step that needs it gets it lent.
mv depot.token /root/depot.token
cat > Dockerfile <<'DOCKERFILE'
FROM tiny:1 AS timetable
RUN --mount=type=secret,id=depot \
    wget -q -O /srv/timetable "http://10.77.0.2:8090/timetable?token=$(cat /run/secrets/depot)"

FROM tiny:1
COPY ferry /app/ferry
COPY --from=timetable /srv/timetable /srv/timetable
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=2s --start-period=10s --start-interval=1s CMD ["/app/ferry", "board", "--health"]
CMD ["/app/ferry", "board"]
DOCKERFILE
docker build -q --secret id=depot,src=/root/depot.token -t board:2 . >/dev/null
echo 'answer token-now a new token is made, and the old one is revoked'
