// Files on their way to a connection. A range of a file stands in the connection's queue like other
// bytes, so what was written before it leaves before it, and what comes after leaves after it.
//
//              in the page cache: sendfile(2), until the socket is full
//   at the front --------------------------------------------------------> over: kFile event
//        |  ^
//        |  +--- the bytes, in front of the rest of the range
//        +-----> not in the page cache, or not for sendfile: read by the ring, or by Node's pool
//
// A hint of the caller leaves out the page cache, or the ring (FileReader). Behind a filter there
// is no sendfile(2): what is in the page cache is read.
#pragma once

#include <vector>

#include "core/files/files.h"
#include "sender.h"

namespace ringpoll {

class FileSender final : public FrontFile {
 public:
  FileSender(LoopState& state, ChannelEnds& ends, Pending& pending, Sender& sender,
             RouteSwitch& routes, Files& files)
      : state_(state),
        ends_(ends),
        pending_(pending),
        sender_(sender),
        routes_(routes),
        files_(files) {}

  // A command of kSendFile.
  void queue(Channel& channel, const int32_t* words);
  // The same, when the connection is over or takes no more bytes.
  void refuse(const int32_t* words);
  bool sendFront(Channel& channel) override;
  bool readFront(Channel& channel) override;
  // Those whose share of a flush was used up go on.
  void resume();
  void onCompletion(const Completion& completion);
  // JavaScript has read the bytes that a kFileFetch event asked for: `bytes`, or -errno.
  void fetched(Channel& channel, uint32_t id, const uint8_t* data, int32_t bytes);

 private:
  bool copy(Channel& channel, OpenFile& file, const FileRange& range);
  ssize_t readCached(const FileRange& range, uint8_t* memory, uint32_t bytes);
  void setReading(Channel& channel, bool reading);
  // Takes the range at the front out of the queue.
  void end(Channel& channel, int32_t result);
  void fetch(Channel& channel, const FileRange& range);
  void fetched(Channel& channel, BlockId block, int32_t result);

  LoopState& state_;
  ChannelEnds& ends_;
  Pending& pending_;
  Sender& sender_;
  RouteSwitch& routes_;
  Files& files_;
  std::vector<Token> toResume_;
};

}  // namespace ringpoll
