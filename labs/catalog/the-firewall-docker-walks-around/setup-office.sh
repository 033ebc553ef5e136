#!/bin/sh
# The harbour office has an address of its own for each student, and its clerk sits there.
set -eu
address=10.77.0.$((40 + BULKHEAD_SEAT % 200))
ip address flush dev eth0
ip address add "$address/24" dev eth0
systemctl enable --now clerk.service >/dev/null 2>&1
