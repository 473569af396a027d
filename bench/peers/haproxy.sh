#!/bin/sh
# haproxy.sh PORT DIRECTORY TARGETPORT copy|splice: writes a configuration into DIRECTORY and
# becomes an HAProxy of one thread that passes TCP on.
set -eu
port=$1 directory=$2 target=$3 way=$4
mkdir -p "$directory"
splice=
[ "$way" = splice ] && splice="option splice-auto"
cat >"$directory/haproxy.cfg" <<CONFIGURATION
global
  nbthread 1
  maxconn 3000
  maxpipes 1000
defaults
  mode tcp
  $splice
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen proxy
  bind 127.0.0.1:$port backlog 4096
  server target 127.0.0.1:$target
CONFIGURATION
exec haproxy -db -f "$directory/haproxy.cfg"
