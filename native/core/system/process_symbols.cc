#include "process_symbols.h"

#include <dlfcn.h>

// Since glibc 2.34 there is a second version of it, which does the same: an addon that was built
// there asks for the first one, and loads on older systems too.
#if defined(__GLIBC__) && defined(__x86_64__)
__asm__(".symver dlsym, dlsym@GLIBC_2.2.5");
#elif defined(__GLIBC__) && defined(__aarch64__)
__asm__(".symver dlsym, dlsym@GLIBC_2.17");
#endif

namespace ringpoll {

void* processSymbol(const char* name) { return ::dlsym(RTLD_DEFAULT, name); }

}  // namespace ringpoll
