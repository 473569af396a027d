// One copy of the package's JavaScript on this thread. A module registry that is reset, a reload or
// a second installation evaluates it again; there is one loop all the same, and each copy walks the
// events of every turn and takes those of its own listeners, connections and files.
#pragma once

#include <napi.h>

namespace ringpoll {

class Face {
 public:
  // `onTurn` walks the events of a turn, with `turnResource` as its execution resource.
  Face(Napi::Env env, Napi::Function onTurn, Napi::Object turnResource);
  ~Face() = default;
  Face(const Face&) = delete;
  Face& operator=(const Face&) = delete;

  // Until leave() the copy is kept, and an asynchronous resource stands for it. False: it was
  // collected, because nobody can reach it any more.
  bool attend();
  // Nothing is open or under way: the copy may go if nobody else holds it.
  void leave();
  // Events wait in the ring.
  void deliver();

 private:
  Napi::Env env_;
  Napi::FunctionReference onTurn_;
  Napi::ObjectReference turnResource_;
  napi_async_context context_ = nullptr;
};

}  // namespace ringpoll
