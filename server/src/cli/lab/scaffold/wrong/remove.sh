#!/bin/sh
set -eu
rm /srv/key
