// A protocol of one's own needs nothing of the loop but Protocol, Transport and a registration.
#include "core/loop/protocol.h"

#include <string>

#include "line_echo.h"
#include "real_fixture.h"

namespace {

using namespace test;

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
