#!/bin/sh
set -eu
chmod 0600 /srv/key
