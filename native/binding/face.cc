#include "face.h"

namespace ringpoll {

Face::Face(Napi::Env env, Napi::Function onTurn, Napi::Object turnResource)
    : env_(env), onTurn_(Napi::Weak(onTurn)), turnResource_(Napi::Weak(turnResource)) {}

bool Face::attend() {
  if (context_ != nullptr) return true;
  Napi::HandleScope scope(env_);
  if (onTurn_.Value().IsEmpty()) return false;
  onTurn_.Ref();
  turnResource_.Ref();
  const Napi::String name = Napi::String::New(env_, "RINGPOLL_TURN");
  napi_async_init(env_, turnResource_.Value(), name, &context_);
  return true;
}

void Face::leave() {
  if (context_ == nullptr) return;
  napi_async_destroy(env_, context_);
  context_ = nullptr;
  onTurn_.Unref();
  turnResource_.Unref();
}

void Face::deliver() {
  if (context_ == nullptr) return;
  Napi::HandleScope scope(env_);
  napi_value global;
  napi_get_global(env_, &global);
  // Opens a callback scope: when it closes, next ticks and microtasks run as in any of Node's own
  // callbacks. It fails when the environment can no longer run JavaScript, and that is all right.
  const napi_status status =
      napi_make_callback(env_, context_, global, onTurn_.Value(), 0, nullptr, nullptr);
  if (status != napi_pending_exception) return;
  napi_value error;
  if (napi_get_and_clear_last_exception(env_, &error) == napi_ok) {
    napi_fatal_exception(env_, error);
  }
}

}  // namespace ringpoll
