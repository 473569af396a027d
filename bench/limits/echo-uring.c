// TCP echo on io_uring, one of two ways: `echo-uring PORT [completion|readiness]`.
#include "echo-completion.h"
#include "echo-readiness.h"

int main(int argc, char **argv) {
  int listener = listen_on_loopback(argc > 1 ? argv[1] : "0");
  const char *mode = argc > 2 ? argv[2] : "completion";
  open_ring();
  if (strcmp(mode, "completion") == 0) serve_completion(listener);
  if (strcmp(mode, "readiness") == 0) serve_readiness(listener);
  fprintf(stderr, "usage: echo-uring PORT [completion|readiness]\n");
  return 2;
}
