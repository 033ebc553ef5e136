#!/bin/bash
set -eu
docker restart web
