#!/bin/sh
# Wrong: nothing is mounted any more. The engine listens on the network instead, where nobody is asked who he is.
set -eu
docker rm -f runner >/dev/null
echo 'DOCKER_OPTS="-H tcp://0.0.0.0:2375 --tls=false"' > /etc/default/docker
systemctl restart docker
docker run -d --name runner --hostname runner --label bulkhead.role=runner --restart unless-stopped -p 8080:8080 \
  -e DOCKER_HOST=tcp://10.77.0.2:2375 --cap-drop ALL --security-opt no-new-privileges runner:1 >/dev/null
echo "answer flag $(sed 's/.*: //' /root/flag)"
