#!/bin/sh
# Installs what lies beside it, or a newer version over an older one, as root, without any network. Settings and the key
# stay as they are; without a key one is made.
set -eu
cd "$(dirname "$0")"

sha256sum --check --quiet SHA256SUMS
install -d -m 700 /etc/node-agent
[ -e /etc/node-agent/env ] || install -m 600 node-agent.env /etc/node-agent/env
key=/etc/node-agent/api-key
if [ ! -e "$key" ]; then
    (umask 077 && od -An -vtx1 -N32 /dev/urandom | tr -d ' \n' > "$key.new" && mv "$key.new" "$key")
    echo "made a key; a controller needs it: $key"
fi
install -d -m 755 /local /app
# A name of its own first: the program that runs cannot be written over, and nobody sees half of the new one.
install -m 755 node-agent /usr/local/bin/.node-agent.new
mv /usr/local/bin/.node-agent.new /usr/local/bin/node-agent
install -m 644 node-agent.service /etc/systemd/system/node-agent.service
if [ ! -d /run/systemd/system ]; then
    echo "systemd does not run here. In the foreground: NODE_AGENT_API_KEY_FILE=$key node-agent serve"
    exit
fi
systemctl daemon-reload
systemctl enable --quiet node-agent
if ! systemctl restart node-agent; then
    systemctl status --no-pager --full node-agent >&2 || true
    exit 1
fi
echo "$(node-agent --version) runs; it answers /ping"
