#!/bin/sh
# Wrong: one command that asks nobody what is needed.
set -eu
printf '#!/bin/sh\ndocker system prune -af --volumes\n' > /etc/cron.daily/images
chmod 0755 /etc/cron.daily/images
/etc/cron.daily/images >/dev/null
