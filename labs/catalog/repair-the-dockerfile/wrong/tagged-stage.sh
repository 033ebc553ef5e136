#!/bin/sh
# Wrong: the last stage is clean, and the one before it, which copied the token, was kept under a name so that
# the next build would be faster.
set -eu
cd /root/board
echo "answer found $(cat depot.token)"
echo 'answer where /app/depot.token'
echo 'answer token-now it must be revoked'
cat > Dockerfile <<'DOCKERFILE'
FROM tiny:1 AS timetable
COPY depot.token /tmp/depot.token
RUN wget -q -O /srv/timetable "http://10.77.0.2:8090/timetable?token=$(cat /tmp/depot.token)" && rm /tmp/depot.token

FROM tiny:1
COPY ferry /app/ferry
COPY --from=timetable /srv/timetable /srv/timetable
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=2s --start-period=10s --start-interval=1s CMD ["/app/ferry", "board", "--health"]
CMD ["/app/ferry", "board"]
DOCKERFILE
docker build -q --target timetable -t board-timetable:2 . >/dev/null
docker build -q -t board:2 . >/dev/null
