#!/bin/sh
# Wrong: ADD needs no wget, and writes the address it fetched from, token and all, into the history. The file
# that it brought is clean.
set -eu
cd /root/board
echo "answer found $(cat depot.token)"
echo 'answer where /app/depot.token'
echo 'answer token-now it must be revoked'
mv depot.token /root/depot.token
cat > Dockerfile <<'DOCKERFILE'
FROM tiny:1
ARG DEPOT
COPY ferry /app/ferry
ADD --chmod=0644 ${DEPOT} /srv/timetable
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=2s --start-period=10s --start-interval=1s CMD ["/app/ferry", "board", "--health"]
CMD ["/app/ferry", "board"]
DOCKERFILE
docker build -q --build-arg "DEPOT=http://10.77.0.2:8090/timetable?token=$(cat /root/depot.token)" -t board:2 . >/dev/null
