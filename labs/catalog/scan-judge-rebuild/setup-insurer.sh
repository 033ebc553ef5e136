#!/bin/sh
# What the line sold under until today is noted, so that nobody can say afterwards that it was something else.
set -eu
setsid held first >/dev/null 2>/srv/first.log </dev/null &
until [ -s /srv/one.digest ]; do sleep 0.05; done
