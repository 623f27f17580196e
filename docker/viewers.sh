#!/usr/bin/env bash
# Add the programs that people look at results with to an environment of ionstack:
# ParaView with its Python, which draws on an X server, and Chromium. Run as root
# inside the root.
#
# PROGRESS  a file to which the progress line is appended
set -euo pipefail

options=(--yes --no-install-recommends
    -o Acquire::Check-Valid-Until=false -o Acquire::Retries=3 -o DPkg::Options::=--force-unsafe-io)
if [[ -r ${SSL_CERT_FILE:-} ]]; then
    options+=(-o "Acquire::https::CAInfo=$SSL_CERT_FILE")
fi
export DEBIAN_FRONTEND=noninteractive
echo "[2/2] Debian packages (ParaView, Chromium)" | tee -a "${PROGRESS:-/dev/null}"
apt-get "${options[@]}" update
apt-get "${options[@]}" install \
    paraview python3-paraview chromium fonts-dejavu-core xauth xvfb
apt-get clean
rm -rf /var/lib/apt/lists/*
command -v pvbatch chromium xvfb-run
