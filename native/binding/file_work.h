// Operations on files on libuv's pool that Node itself does not offer.
#pragma once

#include <napi.h>

#include <cstdint>

namespace ringpoll {

// fallocate(2). Resolves with 0 or -errno.
Napi::Value allocateInPool(Napi::Env env, int fd, uint32_t mode, int64_t offset, int64_t length);

}  // namespace ringpoll
