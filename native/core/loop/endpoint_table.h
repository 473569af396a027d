// Endpoints: a listener, or one connect call, and what its connections have in common. They are
// named by small numbers, which are used again once JavaScript has seen the last event of one.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "core/routing/router.h"
#include "core/system/access_gate.h"
#include "core/system/socket_file.h"
#include "filter.h"

namespace ringpoll {

struct Endpoint {
  Token listener = 0;
  bool isListener = false;
  bool outgoing = false;  // a connect call
  bool live = false;
  bool draining = false;  // what was accepted before its listener closed is served
  EngineHint hint = EngineHint::kAuto;
  uint32_t connections = 0;
  uint32_t unannounced = 0;  // of these, which JavaScript has not heard of
  bool endHeld = false;      // the listener is gone, which is told when there are none of these
  uint32_t maxConnections = UINT32_MAX;
  uint32_t idleTimeoutMs = 0;
  Protocol* protocol = nullptr;  // null: raw bytes
  std::shared_ptr<ProtocolSettings> settings;
  Filter* filter = nullptr;  // null: none
  std::shared_ptr<ProtocolSettings> filterSettings;
  std::shared_ptr<AccessGate> gate;  // null: everybody may connect
  SocketFile file;                   // of a listener on a path
};

class EndpointTable {
 public:
  uint32_t add(Endpoint settings) {
    settings.live = true;
    if (free_.empty()) {
      endpoints_.push_back(std::move(settings));
      return static_cast<uint32_t>(endpoints_.size()) - 1;
    }
    const uint32_t id = free_.back();
    free_.pop_back();
    endpoints_[id] = std::move(settings);
    return id;
  }
  // It came to nothing: JavaScript has never heard of it.
  void undo(uint32_t id) {
    endpoints_[id].live = false;
    endpoints_[id].file.remove();
    free_.push_back(id);
  }
  Endpoint& operator[](uint32_t id) { return endpoints_[id]; }
  const Endpoint* find(uint32_t id) const {
    return id < endpoints_.size() ? &endpoints_[id] : nullptr;
  }
  // Its listener is gone and so is every connection, or else nothing happens.
  void retireIfOver(uint32_t id) {
    Endpoint& endpoint = endpoints_[id];
    if (endpoint.isListener || endpoint.connections > 0) return;
    endpoint.live = false;
    endpoint.settings.reset();
    endpoint.filterSettings.reset();
    endpoint.gate.reset();
    retired_.push_back(id);
  }
  // JavaScript has seen the turn's events.
  void endTurn() {
    free_.insert(free_.end(), retired_.begin(), retired_.end());
    retired_.clear();
  }
  void removeFiles() {
    for (Endpoint& endpoint : endpoints_) endpoint.file.remove();
  }

 private:
  std::vector<Endpoint> endpoints_;
  std::vector<uint32_t> free_;
  std::vector<uint32_t> retired_;
};

}  // namespace ringpoll
