// Static tracepoints: places that bpftrace, perf and SystemTap find by name in the addon (USDT).
// Each is one nop, and a note in the file that says where it is and where its arguments lie. Nobody
// attached costs the nop. docs/observability.md lists them; the names and arguments stay.
//
// The notes are written here, and not by <sys/sdt.h>, so that a build on any machine has them.
// https://sourceware.org/systemtap/wiki/UserSpaceProbeImplementation has their form.
#pragma once

#include <cstdint>

#if defined(__linux__) && defined(__ELF__) && (defined(__x86_64__) || defined(__aarch64__))

// `arguments` is a string: "-8@%[a0]" for each, with spaces between. All are signed, of 8 bytes.
#define RP_PROBE_NOTE(name, arguments)                                    \
  "990: nop\n"                                                            \
  ".pushsection .note.stapsdt,\"?\",\"note\"\n"                           \
  ".balign 4\n"                                                           \
  ".4byte 992f-991f, 994f-993f, 3\n"                                      \
  "991: .asciz \"stapsdt\"\n"                                             \
  "992: .balign 4\n"                                                      \
  "993: .8byte 990b\n"                                                    \
  ".8byte _.stapsdt.base\n"                                               \
  ".8byte 0\n"                                                            \
  ".asciz \"ringpoll\"\n"                                                 \
  ".asciz \"" #name                                                       \
  "\"\n"                                                                  \
  ".asciz \"" arguments                                                   \
  "\"\n"                                                                  \
  "994: .balign 4\n"                                                      \
  ".popsection\n"                                                         \
  ".ifndef _.stapsdt.base\n"                                              \
  ".pushsection .stapsdt.base,\"aG\",\"progbits\",.stapsdt.base,comdat\n" \
  ".weak _.stapsdt.base\n"                                                \
  ".hidden _.stapsdt.base\n"                                              \
  "_.stapsdt.base: .space 1\n"                                            \
  ".size _.stapsdt.base, 1\n"                                             \
  ".popsection\n"                                                         \
  ".endif\n"

#define RP_PROBE1(name, first) \
  __asm__ volatile(RP_PROBE_NOTE(name, "-8@%[a0]")::[a0] "nr"(static_cast<int64_t>(first)))
#define RP_PROBE2(name, first, second)                                                  \
  __asm__ volatile(                                                                     \
      RP_PROBE_NOTE(name, "-8@%[a0] -8@%[a1]")::[a0] "nr"(static_cast<int64_t>(first)), \
      [a1] "nr"(static_cast<int64_t>(second)))

#else

#define RP_PROBE1(name, first) static_cast<void>(first)
#define RP_PROBE2(name, first, second) (static_cast<void>(first), static_cast<void>(second))

#endif
