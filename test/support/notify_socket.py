# The side of systemd: a Unix socket whose datagrams are printed, a line of JSON each.
import json
import socket
import sys

path = sys.argv[1]
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind("\0" + path[1:] if path.startswith("@") else path)
print("ready", flush=True)
while True:
    print(json.dumps(receiver.recv(65536).decode()), flush=True)
