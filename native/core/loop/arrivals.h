// Connections that another thread of a group hands over: the seam between the loop and the box that
// lies between two threads.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace ringpoll {

// One on its way. The socket is closed with it, unless a loop has taken it.
struct Arrival {
  Arrival(int socket, uint32_t of) : fd(socket), listener(of) {}
  ~Arrival() {
    if (fd >= 0) ::close(fd);
  }
  Arrival(const Arrival&) = delete;
  Arrival& operator=(const Arrival&) = delete;

  int fd;
  uint32_t listener;            // the group's number of the listener whose handlers take it
  std::vector<uint8_t> unread;  // received there, and not consumed
  std::vector<uint8_t> note;    // what that thread's JavaScript tells this one's
};

class ArrivalSource {
 public:
  virtual ~ArrivalSource() = default;
  // nullptr: none waits.
  virtual std::unique_ptr<Arrival> take() = 0;
  virtual bool empty() const = 0;
  // Becomes readable when there is one.
  virtual int wakeFd() const = 0;
  // A loop takes from here until it leaves.
  virtual void joined() = 0;
  virtual void left() = 0;
};

}  // namespace ringpoll
