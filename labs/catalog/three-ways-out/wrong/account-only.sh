#!/bin/sh
# Wrong: another account, and nothing else. The helpers still share the machine's processes, and what the engine has given them
# is still in their bounding set, for the first setuid file that comes along.
set -eu
docker rm -f backup metrics ntp >/dev/null
docker run -d --name backup --hostname backup --label bulkhead.role=backup --restart unless-stopped -p 9000:9000 \
  --user 1000:1000 --privileged --pid=host -v uploads:/data ops:1 backup >/dev/null
docker run -d --name metrics --hostname metrics --label bulkhead.role=metrics --restart unless-stopped -p 9100:9100 \
  --user 1000:1000 --pid=host --cap-add SYS_PTRACE ops:1 metrics >/dev/null
docker run -d --name ntp --hostname ntp --label bulkhead.role=ntp --restart unless-stopped -p 123:123/udp \
  --user 1000:1000 --cap-add SYS_ADMIN ops:1 ntp >/dev/null
