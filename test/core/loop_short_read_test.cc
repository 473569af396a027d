// Reads that come up short although more bytes are there: behind urgent data, and behind passed
// descriptors. No further edge tells of those bytes.
#include <cstring>

#include "real_fixture.h"
#include "scripted_fixture.h"

namespace {

using namespace test;

EACH_ENGINE(loop_reads_on_behind_urgent_data) {
  if (engine == RealEngine::kKqueue) SKIP("libkqueue does not tell of urgent data");
  Real real(engine);
  START_OR_SKIP(real);
  real.listen();
  Notes notes;
  real.js->handler = [&](const Event& event) { notes.note(event); };
  Peer peer(real.port);
  CHECK(real.until([&] { return notes.opened == 1; }));
  std::string& received = notes.connections[notes.last].bytes;
  for (int round = 0; round < 5; ++round) {
    received.clear();
    peer.write("before");
    CHECK_EQ(::send(peer.fd(), "!", 1, MSG_OOB), 1);  // not a part of the stream
    peer.write("after");
    CHECK(real.until([&] { return received == "beforeafter"; }));
  }
}

TEST(readiness_reads_on_as_far_as_the_kernel_has_announced) {
  Scripted scripted(Kind::kPoll);
  const Connected peer = scripted.accept();
  for (int round = 0; round < 3; ++round) {
    scripted.kernel.willReceive(peer.fd, "before");
    scripted.kernel.willStopReading(peer.fd);
    scripted.kernel.willReceive(peer.fd, "after");
    scripted.kernel.edge(peer.fd, Readiness::kIn, 11);
    CHECK_EQ(bytesOf(scripted.settle()), std::string("beforeafter"));
  }
  CHECK_EQ(scripted.js.loop.metrics().receivesEmpty, 0u);
  // What was announced and is not there costs one empty read.
  scripted.kernel.willReceive(peer.fd, "less");
  scripted.kernel.edge(peer.fd, Readiness::kIn, 100);
  CHECK_EQ(bytesOf(scripted.settle()), std::string("less"));
  CHECK_EQ(scripted.js.loop.metrics().receivesEmpty, 1u);
  expectContract(scripted);
}

#ifdef __linux__
// Sends `bytes` with a descriptor attached.
bool sendWithDescriptor(int socket, const std::string& bytes, int descriptor) {
  iovec vector{const_cast<char*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof descriptor)] = {};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof descriptor);
  std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  return ::sendmsg(socket, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

EACH_ENGINE(loop_reads_on_behind_passed_descriptors) {
  Real real(engine);
  START_OR_SKIP(real);
  const std::string path = std::string(1, '\0') + "ringpoll-short-" + std::to_string(::getpid());
  SocketAddress address;
  CHECK(SocketAddress::fromPath(path, &address));
  CHECK(real.js->loop.listen(address, {}, {}, &real.endpoint).fd >= 0);
  Notes notes;
  real.js->handler = [&](const Event& event) { notes.note(event); };
  Peer peer;
  CHECK_EQ(peer.connectTo(address), 0);
  CHECK(real.until([&] { return notes.opened == 1; }));
  std::string& received = notes.connections[notes.last].bytes;
  for (int round = 0; round < 5; ++round) {
    received.clear();
    peer.write("before");
    CHECK(sendWithDescriptor(peer.fd(), "with", 0));
    peer.write("after");
    CHECK(real.until([&] { return received == "beforewithafter"; }));
  }
}
#endif

}  // namespace
