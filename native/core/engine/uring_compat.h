// Constants that the oldest supported liburing headers lack. Each is used only after the kernel
// itself has accepted it.
#pragma once

#include <liburing.h>

#ifndef IORING_SETUP_SINGLE_ISSUER
#define IORING_SETUP_SINGLE_ISSUER (1U << 12)  // 6.0
#endif
#ifndef IORING_SETUP_DEFER_TASKRUN
#define IORING_SETUP_DEFER_TASKRUN (1U << 13)  // 6.1
#endif
#ifndef IORING_SETUP_TASKRUN_FLAG
#define IORING_SETUP_TASKRUN_FLAG (1U << 9)  // 5.19
#endif

namespace ringpoll {
inline constexpr int kOpFtruncate = 55;  // IORING_OP_FTRUNCATE, 6.9
}
