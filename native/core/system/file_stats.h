// What statx(2) answers, as the fields of node:fs's Stats. Linux only.
#pragma once

#include <sys/stat.h>
#ifndef STATX_TYPE
#include <linux/stat.h>  // musl before 1.2.5 does not know statx
#endif

#include "file_calls.h"

namespace ringpoll {

inline constexpr unsigned kStatMask = STATX_BASIC_STATS | STATX_BTIME;

// Writes kStatFields values.
void toStatFields(const struct statx& from, double* fields);

}  // namespace ringpoll
