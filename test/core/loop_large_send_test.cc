// Bytes that are sent from the caller's memory: together with what is queued, and behind it.
#include <cerrno>

#include "random.h"
#include "scripted_fixture.h"

namespace {

using namespace test;

constexpr size_t kLarge = 100'000;

std::string pattern(size_t bytes, uint64_t stream) {
  std::string all(bytes, 0);
  for (size_t i = 0; i < bytes; ++i) all[i] = static_cast<char>(streamByte(stream, i));
  return all;
}

TEST(loop_sends_a_head_and_a_large_body_with_one_call) {
  for (const Kind kind : kBothKinds) {
    Scripted scripted(kind);
    const Connected peer = scripted.accept();
    const uint64_t before = scripted.js.loop.metrics().sends;
    const std::string body = pattern(kLarge, 1);
    scripted.js.write(peer.name, "head ");
    scripted.js.write(peer.name, body);
    CHECK(scripted.kernel.sentBytes(peer.fd) == "head " + body);
    scripted.js.turn();
    CHECK_EQ(scripted.js.loop.metrics().sends, before + 1);
    CHECK_EQ(scripted.js.channel(peer.name)->bytesWritten, uint64_t{5 + kLarge});
    CHECK_EQ(scripted.pending(peer.name), 0.0);
    expectContract(scripted);
  }
}

TEST(loop_keeps_head_and_large_body_in_order_wherever_a_send_comes_up_short) {
  for (const Kind kind : kBothKinds) {
    for (const size_t room : {size_t{0}, size_t{1}, size_t{5}, size_t{6}, kLarge, kLarge + 4}) {
      Scripted scripted(kind);
      const Connected peer = scripted.accept();
      const std::string body = pattern(kLarge, 2);
      scripted.kernel.setRoom(peer.fd, room);
      scripted.js.write(peer.name, "head ");
      scripted.js.write(peer.name, body);
      CHECK_EQ(scripted.kernel.sentBytes(peer.fd).size(), room);
      CHECK_EQ(scripted.pending(peer.name), static_cast<double>(5 + kLarge - room));
      scripted.js.write(peer.name, " tail");  // must not overtake
      scripted.js.turn();
      scripted.takesAllAfter(peer.fd, 3);
      scripted.settle();
      CHECK(scripted.kernel.sentBytes(peer.fd) == "head " + body + " tail");
      CHECK_EQ(scripted.pending(peer.name), 0.0);
      expectContract(scripted);
    }
  }
}

TEST(loop_does_not_let_a_large_write_pass_what_may_not_be_sent_yet) {
  for (const Kind kind : kBothKinds) {
    for (const bool corked : {false, true}) {
      Scripted scripted(kind);
      const Connected peer = scripted.accept();
      const std::string body = pattern(kLarge, 3);
      if (corked) scripted.js.command(CommandKind::kCork, peer.name);
      if (!corked) scripted.kernel.setRoom(peer.fd, 0);
      scripted.js.write(peer.name, "first ");
      if (!corked) scripted.js.turn();  // the engine has the send from now on
      scripted.js.write(peer.name, body);
      CHECK(scripted.kernel.sentBytes(peer.fd).empty());
      if (corked) scripted.js.command(CommandKind::kUncork, peer.name);
      if (!corked) scripted.takesAllAfter(peer.fd, 2);
      scripted.settle();
      CHECK(scripted.kernel.sentBytes(peer.fd) == "first " + body);
      CHECK_EQ(scripted.pending(peer.name), 0.0);
      expectContract(scripted);
    }
  }
}

TEST(loop_drops_a_large_write_behind_the_end) {
  for (const Kind kind : kBothKinds) {
    Scripted scripted(kind);
    const Connected peer = scripted.accept();
    scripted.js.write(peer.name, "goodbye");
    scripted.js.command(CommandKind::kEnd, peer.name);
    scripted.js.write(peer.name, pattern(kLarge, 4));
    scripted.settle();
    CHECK(scripted.kernel.sentBytes(peer.fd) == "goodbye");
    CHECK(scripted.kernel.finSent(peer.fd));
    CHECK_EQ(scripted.pending(peer.name), 0.0);
    expectContract(scripted);
  }
}

TEST(loop_tries_a_large_write_again_when_the_kernel_has_no_memory) {
  for (const Kind kind : kBothKinds) {
    Scripted scripted(kind);
    const Connected peer = scripted.accept();
    const std::string body = pattern(kLarge, 5);
    for (int i = 0; i < 3; ++i) scripted.kernel.willSend(peer.fd, -ENOBUFS);
    scripted.js.write(peer.name, "head ");
    scripted.js.write(peer.name, body);
    const size_t whole = 5 + kLarge;
    for (int i = 0; i < 10 && scripted.kernel.sentBytes(peer.fd).size() < whole; ++i) {
      scripted.js.turn(-1);
    }
    CHECK(scripted.kernel.sentBytes(peer.fd) == "head " + body);
    CHECK_EQ(scripted.pending(peer.name), 0.0);
    expectContract(scripted);
  }
}

TEST(loop_reports_an_error_of_a_large_send_with_the_close) {
  for (const Kind kind : kBothKinds) {
    Scripted scripted(kind);
    const Connected peer = scripted.accept();
    for (int i = 0; i < 2; ++i) scripted.kernel.willSend(peer.fd, -EPIPE);
    scripted.js.write(peer.name, "head ");
    scripted.js.write(peer.name, pattern(kLarge, 6));
    const std::vector<Event> events = scripted.settle();
    CHECK(areKinds(events, {EventKind::kClose}));
    CHECK_EQ(events[0].error(), EPIPE);
    CHECK_EQ(scripted.pending(peer.name), kPendingOver);
    expectContract(scripted);
  }
}

}  // namespace
