#!/usr/bin/env bash
# /ping with keep-alive at 32 connections, beside nginx `return 200`: requests a second and p99, in turns.
. "$(dirname "$0")/common.sh"

# nginx is given no port 0: the first free one from here on.
port=18080
while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
cat >"$scratch/nginx.conf" <<CONF
worker_processes auto;
pid $scratch/nginx.pid;
error_log $scratch/error.log;
daemon off;
events {}
http {
    access_log $scratch/access.log;
    keepalive_requests 1000000000;
    client_body_temp_path $scratch/a; proxy_temp_path $scratch/b; fastcgi_temp_path $scratch/c;
    uwsgi_temp_path $scratch/d; scgi_temp_path $scratch/e;
    server {
        listen 127.0.0.1:$port;
        location / { default_type application/json; return 200 '{"status":"ok","version":"2.6.1","docker":true}'; }
    }
}
CONF
nginx -c "$scratch/nginx.conf" 2>/dev/null &
started+=("$!")
start_agent
until curl -so /dev/null "http://127.0.0.1:$port/"; do sleep 0.01; done

# "requests-per-second p99-in-milliseconds" of one run
load() {
    wrk -c32 -t2 -d"${seconds}s" --latency "$1" | awk '
        $1 == "99%" { p99 = $2 + 0; if ($2 ~ /us$/) p99 /= 1000; else if ($2 !~ /ms$/) p99 *= 1000 }
        $1 == "Requests/sec:" { rate = $2 }
        END { print rate, p99 }'
}

for _ in $(seq "$runs"); do
    load "$agent_url/ping" >>"$scratch/ours"
    load "http://127.0.0.1:$port/ping" >>"$scratch/theirs"
    # The logs grow by hundreds of megabytes; both keep writing at the end of an empty file again.
    : >"$scratch/access.log"
done
column() { cut -d' ' -f"$2" "$scratch/$1" | median; }
ours=$(column ours 1) theirs=$(column theirs 1)
row "/ping, 32 connections, requests/s (nginx)" "${ours%.*}" "${theirs%.*}" "$(ratio "$ours" "$theirs")" ">=" 0.8
ours=$(column ours 2) theirs=$(column theirs 2)
row "/ping p99, ms (nginx)" "$ours" "$theirs" "$(ratio "$ours" "$theirs")" "<=" 1.0
