#!/bin/sh
# Wrong: one layer in place of eleven. The deleted file is gone, and so are the health check that there could have been and
# the account; root, sudo and sshd are not.
set -eu
echo "answer found $(cat /root/board/depot.token)"
echo 'answer where /app/depot.token'
echo 'answer token-now it must be revoked'
rm /root/board/depot.token
docker exec board rm -f /app/depot.token
docker export board | docker import -c 'CMD ["/app/ferry", "board"]' - board:2 >/dev/null
docker rm -f board >/dev/null
docker rmi board:1 >/dev/null
docker builder prune -af >/dev/null
docker run -d --name board --hostname board --label bulkhead.role=board --restart unless-stopped \
  -p 8080:8080 board:2 >/dev/null
