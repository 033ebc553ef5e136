#!/bin/bash
# Runs as root on the student's machine, before he gets in.
set -eu
echo "key $RANDOM" > /srv/key
chmod 0644 /srv/key
