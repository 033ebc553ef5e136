#!/bin/bash
set -eu
id dev1 > /dev/null 2>&1 || useradd --create-home --shell /bin/bash dev1
