// Runs a command under a seccomp filter that refuses io_uring with EPERM, as the default profiles
// of container runtimes do. Usage: deny-io-uring command [argument...]
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

// The three calls have the same numbers on every architecture that has them.
enum { IO_URING_SETUP = 425, IO_URING_REGISTER = 427 };

int main(int argc, char** argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: %s command [argument...]\n", argv[0]);
    return 2;
  }
  struct sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, IO_URING_SETUP, 0, 2),
      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, IO_URING_REGISTER, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog filter = {
      .len = sizeof(program) / sizeof(program[0]),
      .filter = program,
  };
  // The kernel takes a filter from an unprivileged process only with this.
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) != 0) {
    perror("deny-io-uring: seccomp");
    return 125;
  }
  execvp(argv[1], argv + 1);
  perror(argv[1]);
  return 127;
}
