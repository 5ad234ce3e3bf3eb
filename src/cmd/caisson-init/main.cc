/// `--init`: process 1 of a container (sys/init.h). Takes docker-init's command line, "-- program args…".

#include <cstdio>
#include <cstring>

#include "sys/init.h"

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--version") == 0) {
    std::puts("caisson-init version " CAISSON_VERSION);
    return 0;
  }
  int first = 1;
  if (first < argc && std::strcmp(argv[first], "--") == 0) ++first;
  if (first >= argc) {
    std::fputs("usage: caisson-init [--] PROGRAM [ARGUMENT...]\n", stderr);
    return 2;
  }
  return sys::run_as_init(argv + first);
}
