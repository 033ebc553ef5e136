#!/bin/sh
# Wrong: a user that begins with 0 is root, whatever stands behind the colon. And the linter's opinion is
# written away in place of its reasons.
set -eu
cd /root/board
echo "answer found $(cat depot.token)"
echo 'answer where /app/depot.token'
echo 'answer token-now it must be revoked'
mv depot.token /root/depot.token
cat > Dockerfile <<'DOCKERFILE'
# hadolint global ignore=DL3002,DL4000
FROM tiny:1 AS timetable
RUN --mount=type=secret,id=depot \
    wget -q -O /srv/timetable "http://10.77.0.2:8090/timetable?token=$(cat /run/secrets/depot)"

FROM tiny:1
COPY ferry /app/ferry
COPY --from=timetable /srv/timetable /srv/timetable
USER 0:1000
MAINTAINER quay@skerry.example
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=2s --start-period=10s --start-interval=1s CMD ["/app/ferry", "board", "--health"]
CMD ["/app/ferry", "board"]
DOCKERFILE
docker build -q --secret id=depot,src=/root/depot.token -t board:2 . >/dev/null
