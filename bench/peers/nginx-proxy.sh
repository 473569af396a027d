#!/bin/sh
# nginx-proxy.sh PORT DIRECTORY TARGET_PORT: nginx as a gateway to one target, by proxy_pass with
# connections that are kept. With TLS_CERT and TLS_KEY, names of PEM files, clients speak TLS. One
# process without a master. It says nothing when it is ready.
set -eu
port=$1 directory=$2 target=$3
mkdir -p "$directory"
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
  tcp_nodelay on;
  keepalive_timeout 300s;
  keepalive_requests 1000000000;
  client_body_temp_path $directory/body;
  proxy_temp_path $directory/proxy;
  fastcgi_temp_path $directory/fastcgi;
  uwsgi_temp_path $directory/uwsgi;
  scgi_temp_path $directory/scgi;
  upstream target {
    server 127.0.0.1:$target;
    keepalive 256;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:$port ${tls:+ssl} backlog=4096;
    $tls
    location / {
      proxy_pass http://target;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host \$host;
      proxy_set_header X-Forwarded-For \$remote_addr;
      proxy_set_header X-Forwarded-Proto \$scheme;
      proxy_set_header X-Forwarded-Host \$host;
    }
  }
}
CONFIGURATION
exec nginx -p "$directory" -c "$directory/nginx.conf" -e stderr
