// A protocol of one's own needs nothing of the loop but Protocol, Transport and a registration.
#include "core/loop/protocol.h"

#include <cstring>
#include <string>
#include <vector>

#include "real_fixture.h"

namespace {

using namespace test;

// Sends every complete line back, however it is split over reads; an unfinished one at the end.
class LineEcho final : public Protocol {
 public:
  LineEcho(Arena& arena, Transport& transport) : arena_(arena), transport_(transport) {}

  void open(Channel& channel, ProtocolSettings*, uint64_t) override {
    channel.protocolState = new std::string;
    ++connections;
  }
  void received(Channel& channel, const ReceivedBytes& bytes, uint64_t) override {
    std::string& line = of(channel);
    const char* at = reinterpret_cast<const char*>(arena_.data(bytes.block)) + bytes.offset;
    for (uint32_t i = 0; i < bytes.length; ++i) {
      line += at[i];
      if (at[i] == '\n') send(channel, line);
    }
  }
  void peerEnded(Channel& channel) override {
    send(channel, of(channel));
    transport_.endWhenSent(channel);
  }
  void closed(Channel& channel) override {
    delete static_cast<std::string*>(channel.protocolState);
    --connections;
  }
  void endFlush() override {
    for (BlockId block : queued_) arena_.release(block);
    queued_.clear();
  }

  int connections = 0;

 private:
  static std::string& of(Channel& channel) {
    return *static_cast<std::string*>(channel.protocolState);
  }
  void send(Channel& channel, std::string& line) {
    if (line.empty()) return;
    const auto length = static_cast<uint32_t>(line.size());
    queued_.push_back(arena_.lease(length));
    std::memcpy(arena_.data(queued_.back()), line.data(), length);
    transport_.queueBytes(channel, queued_.back(), 0, length);
    line.clear();
  }

  Arena& arena_;
  Transport& transport_;
  std::vector<BlockId> queued_;
};

EACH_ENGINE(protocol_of_lines_needs_one_registration) {
  Real real(engine);
  START_OR_SKIP(real);
  Loop& loop = real.js->loop;
  auto made = std::make_unique<LineEcho>(loop.arena(), loop.transport());
  LineEcho& lines = *made;
  loop.addProtocol(std::move(made));
  Endpoint settings;
  settings.protocol = &lines;
  real.listen(settings);
  Notes notes;
  real.js->handler = [&](const Event& event) { notes.note(event); };

  Peer peer(real.port);
  peer.write("one\ntw");
  std::string got;
  CHECK(real.until([&] { return (got += peer.read()).size() >= 4; }));
  CHECK_EQ(got, std::string("one\n"));
  CHECK_EQ(lines.connections, 1);
  peer.write("o\nthree\nfo");
  peer.shutdown();
  CHECK(real.until([&] {
    got += peer.read();
    return peer.ended && notes.closed == 1;
  }));
  CHECK_EQ(got, std::string("one\ntwo\nthree\nfo"));
  CHECK_EQ(lines.connections, 0);
  CHECK(notes.connections[notes.last].bytes.empty());  // JavaScript sees the open and the close
}

}  // namespace
