// libuv as a guest of our loop.
//
// While we have live I/O our engine does the blocking wait, and libuv is polled without blocking:
// an active idle handle makes libuv's own poll return at once, and a check handle, which runs right
// after that poll, does our turn. libuv's backend descriptor is watched by our engine, so whatever
// happens to libuv ends our wait. With nothing of ours alive the handles are stopped, and libuv is
// as it always was.
#pragma once

#include <napi.h>

#include <memory>
#include <vector>

#include "core/loop/loop.h"
#include "core/loop/metered_sockets.h"
#include "core/system/datagram_calls.h"
#include "core/system/mapped_file.h"
#include "face.h"
#include "shared_memory.h"
#include "uv_api.h"

namespace ringpoll {

namespace http {
class Client;
class Server;
}  // namespace http
namespace websocket {
class Protocol;
}
namespace udp {
class Protocol;
}
namespace tls {
class Filter;
}

// A listening socket of a group of threads that this thread has been given.
struct GroupSocket {
  int fd = -1;
  std::shared_ptr<AcceptSource> source;  // null: this thread accepts itself
};

class GuestLoop {
 public:
  // Empty, or why it could not start.
  static std::string start(Napi::Env env, LoopOptions options, std::unique_ptr<GuestLoop>* out);
  // Another copy of the package's JavaScript walks the events from now on; see Face.
  void join(Napi::Function onTurn, Napi::Object turnResource);
  ~GuestLoop() = default;
  GuestLoop(const GuestLoop&) = delete;
  GuestLoop& operator=(const GuestLoop&) = delete;

  Loop& loop() { return *loop_; }
  SharedMemory& memory() { return memory_; }
  // Call after anything that may have opened a channel.
  void wake();
  void setReferenced(bool referenced);
  // Call after anything that may have changed what keeps the process alive.
  void applyReference();
  bool stopped() const { return stopped_; }
  // Turns are measured into `words` from now on, which must stay until this is called again; null:
  // not any more.
  void setMeter(double* words);
  // The last turns are written into `rows` rows at `ring`, which must stay. False: nobody measures.
  bool recordTurns(double* ring, uint32_t rows);
  // The last turns are written into `rows` rows of a file, until `nullptr` comes or measuring ends.
  // False: nobody measures.
  bool recordFlight(std::unique_ptr<MappedFile> file, uint32_t rows);
  // What speaks HTTP here, made by the first HTTP listener. nullptr: no memory.
  http::Server* openHttp();
  // nullptr: there was no such listener yet.
  http::Server* http() const { return http_; }
  // What speaks HTTP as a client here, made by the first connection. nullptr: no memory.
  http::Client* openHttpClient();
  // nullptr: there was no such connection yet.
  http::Client* httpClient() const { return httpClient_; }
  // A request is about to be made: the process lives on at least until the next turn has taken it.
  void stayForRequest();
  // What speaks WebSocket here, made by the first connection that does.
  websocket::Protocol& openWebSocket();
  // nullptr: there was no such connection yet.
  websocket::Protocol* webSocket() const { return webSocket_; }
  // What looks after datagram sockets here, made by the first one.
  udp::Protocol& openUdp();
  // nullptr: there was none yet.
  udp::Protocol* udp() const { return udp_; }
  // What TLS connections go through here, made by the first that needs it. nullptr: no memory, or
  // no OpenSSL.
  tls::Filter* openTls();
  // nullptr: there was none yet.
  tls::Filter* tls() const { return tls_; }
  // What speaks to handles here, made by the first one.
  Protocol& openHandles();
  // `fd` is for listen(), which takes it.
  void giveGroupSocket(int fd, std::shared_ptr<AcceptSource> source) {
    groupSockets_.push_back({fd, std::move(source)});
  }
  bool takeGroupSocket(int fd, GroupSocket* out) {
    return std::erase_if(groupSockets_, [&](GroupSocket& each) {
             if (each.fd != fd) return false;
             *out = std::move(each);
             return true;
           }) > 0;
  }
  // Where a watchdog sees whether JavaScript may be running: 0 while we wait, and else a number
  // that is another one each turn.
  void addHeartbeat(int32_t* word) { heartbeats_.push_back(word); }
  void removeHeartbeat(int32_t* word) { std::erase(heartbeats_, word); }

 private:
  explicit GuestLoop(Napi::Env env) : env_(env), memory_(env) {}
  void turns();
  bool goesOn(uint64_t startNs) const;
  void turn();
  void sampleLayers();
  int64_t waitTimeNs();
  void deliver();
  void sendLastBytes();
  void sleep();
  static void onEnvironmentExit(napi_async_cleanup_hook_handle handle, void* self);
  static void onProcessExit();
  void stop();
  void closeHandles();

  Napi::Env env_;
  SharedMemory memory_;
  MeteredSockets sockets_;
  FileCalls fileCalls_;
  DatagramCalls datagrams_;
  std::unique_ptr<Loop> loop_;
  http::Server* http_ = nullptr;              // the loop's own
  http::Client* httpClient_ = nullptr;        // the same
  websocket::Protocol* webSocket_ = nullptr;  // the same
  udp::Protocol* udp_ = nullptr;              // the same
  tls::Filter* tls_ = nullptr;                // the same
  Protocol* handles_ = nullptr;               // the same
  std::vector<std::unique_ptr<Face>> faces_;
  napi_async_cleanup_hook_handle exitHook_ = nullptr;
  uv_loop_s* uv_ = nullptr;
  uv_handle_s* idle_ = nullptr;
  uv_handle_s* check_ = nullptr;
  void beat(bool running) {
    if (heartbeats_.empty()) return;
    if (running) beats_ = beats_ == INT32_MAX ? 1 : beats_ + 1;
    for (int32_t* word : heartbeats_) {
      __atomic_store_n(word, running ? beats_ : 0, __ATOMIC_RELEASE);
    }
  }

  std::unique_ptr<MappedFile> flightFile_;  // null: nobody records
  std::unique_ptr<FlightRing> flight_;      // the same
  std::unique_ptr<TurnMeter> meter_;        // null: nobody measures
  std::unique_ptr<LayerClock> layers_;      // the same
  double* layerWords_ = nullptr;
  uint32_t turnsToLayers_ = kLayerEvery;
  uint64_t requestsBefore_ = 0;
  double ranNsBefore_ = 0;  // the thread, without its waits, when the measured turn began
  uint64_t seenEvents_ = 0;
  std::vector<int32_t*> heartbeats_;
  std::vector<GroupSocket> groupSockets_;
  int32_t beats_ = 0;
  int openHandles_ = 0;
  bool awake_ = false;
  bool referenced_ = true;
  bool wantsReference_ = true;
  bool staysForRequest_ = false;
  bool stopped_ = false;
};

}  // namespace ringpoll
