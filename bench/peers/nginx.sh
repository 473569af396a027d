#!/bin/sh
# nginx.sh PORT DIRECTORY return|file|megabyte: writes a configuration into DIRECTORY and becomes nginx.
# With TLS_CERT and TLS_KEY, names of PEM files, it speaks TLS.
# One process without a master, so that its pid is the one that serves. It says nothing when it is
# ready: try to connect. Everything that costs and is not serving is off: logs, limits on requests.
set -eu
port=$1 directory=$2 mode=$3
mkdir -p "$directory/www"
printf 'Hello, World!' >"$directory/www/index.txt"
case $mode in
  return) answer="default_type text/plain; return 200 'Hello, World!';" ;;
  megabyte) dd if=/dev/zero bs=1048576 count=1 2>/dev/null | tr '\0' x >"$directory/www/index.txt"
    answer="types { text/plain txt; } root $directory/www; try_files /index.txt =404;" ;;
  file) answer="types { text/plain txt; } root $directory/www; try_files /index.txt =404;" ;;
  *) echo "unknown mode $mode" >&2; exit 2 ;;
esac
tls=
if [ -n "${TLS_CERT:-}" ]; then
  tls="ssl_certificate $TLS_CERT; ssl_certificate_key $TLS_KEY; ssl_protocols TLSv1.3;"
fi
cat >"$directory/nginx.conf" <<CONFIGURATION
daemon off;
master_process off;
pid $directory/nginx.pid;
error_log stderr error;
worker_rlimit_nofile 20000;
events { worker_connections 16384; multi_accept on; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  tcp_nodelay on;
  keepalive_timeout 300s;
  keepalive_requests 1000000000;
  open_file_cache max=16 inactive=300s;
  open_file_cache_valid 300s;
  client_body_temp_path $directory/body;
  proxy_temp_path $directory/proxy;
  fastcgi_temp_path $directory/fastcgi;
  uwsgi_temp_path $directory/uwsgi;
  scgi_temp_path $directory/scgi;
  server {
    listen 127.0.0.1:$port ${tls:+ssl} backlog=4096;
    $tls
    location / { $answer }
  }
}
CONFIGURATION
exec nginx -p "$directory" -c "$directory/nginx.conf" -e stderr
