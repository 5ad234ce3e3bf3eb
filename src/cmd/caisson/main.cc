#include <span>

#include "cli/program.h"

int main(int argc, char** argv) {
  return cli::run_program(std::span<char* const>{argv, static_cast<std::size_t>(argc)});
}
