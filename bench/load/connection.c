// Sockets of the load generator.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

// A non-blocking connect, from one of several local addresses when that was asked for: one address
// has some 28,000 ports towards a server, and those of closed connections rest for a minute.
int socket_connect(int source_index, bool *connecting) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket: %s", strerror(errno));
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (options->sources > 0) {
    // The port is chosen at connect, when the kernel knows the whole pair of addresses.
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    uint32_t host = INADDR_LOOPBACK + 1 + (uint32_t)(source_index % options->sources);
    struct sockaddr_in source = {.sin_family = AF_INET, .sin_addr = {htonl(host)}};
    if (bind(fd, (struct sockaddr *)&source, sizeof source) < 0) fail("bind: %s", strerror(errno));
  }
  struct sockaddr_in server = {.sin_family = AF_INET,
                               .sin_port = htons((uint16_t)options->port),
                               .sin_addr = {htonl(INADDR_LOOPBACK)}};
  *connecting = false;
  if (connect(fd, (struct sockaddr *)&server, sizeof server) < 0) {
    if (errno != EINPROGRESS) fail("connect: %s", strerror(errno));
    *connecting = true;
  }
  return fd;
}

void socket_watch(int epoll, int operation, int fd, uint32_t events, void *data) {
  struct epoll_event event = {.events = events, .data.ptr = data};
  if (epoll_ctl(epoll, operation, fd, &event) < 0) fail("epoll_ctl: %s", strerror(errno));
}

size_t socket_write(struct connection *connection, const char *from, size_t length) {
  if (length > SCRATCH_BYTES) length = SCRATCH_BYTES;
  if (connection->ssl != NULL) return secure_write(connection, from, length);
  ssize_t sent = send(connection->fd, from, length, MSG_NOSIGNAL);
  if (sent >= 0) return (size_t)sent;
  if (errno == EAGAIN || errno == EINTR) return 0;
  fail("connection %u: send: %s", connection->index, strerror(errno));
}

size_t socket_read(struct connection *connection, char *into, size_t length) {
  if (connection->ssl != NULL) return secure_read(connection, into, length);
  ssize_t received = recv(connection->fd, into, length, 0);
  if (received > 0) return (size_t)received;
  if (received == 0) fail("connection %u: closed by the server", connection->index);
  if (errno == EAGAIN || errno == EINTR) return 0;
  fail("connection %u: recv: %s", connection->index, strerror(errno));
}
