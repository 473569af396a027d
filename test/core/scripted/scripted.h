// Engines on a scripted kernel: the third pair of hands on the contract of engine.h, for tests.
#pragma once

#include <memory>

#include "core/engine/engine.h"
#include "scripted_kernel.h"

namespace ringpoll {

// An engine of completions, like the ring, and one of readiness, like epoll.
std::unique_ptr<Engine> makeScriptedRing(EngineContext context, ScriptedKernel& kernel);
std::unique_ptr<Engine> makeScriptedPoll(EngineContext context, ScriptedKernel& kernel);

}  // namespace ringpoll
