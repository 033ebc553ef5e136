#!/bin/sh
# Wrong: it is small, has no secret, and is not the board: a page with last week's departures.
set -eu
cd /root/board
echo "answer found $(cat depot.token)"
echo 'answer where /app/depot.token'
echo 'answer token-now it must be revoked'
mv depot.token /root/depot.token
cat > Dockerfile <<'DOCKERFILE'
FROM tiny:1
RUN mkdir /www && printf '05.50 some-boat Holm\\nseen\\n' > /www/next \
 && printf 'night-ferry 23.45\\n' > /www/index.html
USER 10001:10001
EXPOSE 8080
CMD ["/bin/sh", "-c", "trap 'exit 0' TERM; httpd -f -p 8080 -h /www & wait"]
DOCKERFILE
docker build -q -t board:2 . >/dev/null
