// The system calls on sockets, with their time given to a layer in turns that are measured.
#pragma once

#include "core/base/layer_clock.h"
#include "core/system/sockets.h"

namespace ringpoll {

class MeteredSockets final : public SocketCalls {
 public:
  // null: this turn is not measured.
  void setLayers(LayerClock* layers) { layers_ = layers; }

  ssize_t receive(int fd, void* buffer, size_t bytes) override {
    const LayerScope scope(layers_, Layer::kRead);
    return SocketCalls::receive(fd, buffer, bytes);
  }
  ssize_t send(int fd, const iovec* vectors, uint32_t count) override {
    const LayerScope scope(layers_, Layer::kWrite);
    return SocketCalls::send(fd, vectors, count);
  }
  int accept(int fd) override {
    const LayerScope scope(layers_, Layer::kAccept);
    return SocketCalls::accept(fd);
  }

 private:
  LayerClock* layers_ = nullptr;
};

}  // namespace ringpoll
