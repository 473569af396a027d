#!/bin/sh
# nginx-stream.sh PORT DIRECTORY TARGETPORT: writes a configuration into DIRECTORY and becomes an
# nginx that passes TCP on. One process without a master, so that its pid is the one that serves.
set -eu
port=$1 directory=$2 target=$3
mkdir -p "$directory"
cat >"$directory/nginx.conf" <<CONFIGURATION
load_module ${NGINX_STREAM_MODULE:-/usr/lib/nginx/modules/ngx_stream_module.so};
daemon off;
master_process off;
pid $directory/nginx.pid;
error_log stderr error;
worker_rlimit_nofile 20000;
events { worker_connections 16384; multi_accept on; }
stream {
  tcp_nodelay on;
  proxy_buffer_size ${NGINX_BUFFER:-64k};
  proxy_timeout 1h;
  server {
    listen 127.0.0.1:$port backlog=4096;
    proxy_pass 127.0.0.1:$target;
  }
}
CONFIGURATION
exec nginx -p "$directory" -c "$directory/nginx.conf" -e stderr
