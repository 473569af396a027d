// What the UDP limit servers share: their socket.
#ifndef BENCH_LIMITS_UDP_H
#define BENCH_LIMITS_UDP_H

#include "server.h"

enum { SOCKET_BUFFER_BYTES = 4 << 20 };

// A non-blocking datagram socket on 127.0.0.1; port 0 lets the kernel choose.
static int bind_on_loopback(const char *port_text) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) die("socket");
  int bytes = SOCKET_BUFFER_BYTES;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((unsigned short)atoi(port_text)),
                                .sin_addr = {htonl(INADDR_LOOPBACK)}};
  if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) die("bind");
  return fd;
}

#endif
