/// caissond: reads its configuration, opens the engine, serves the Engine API until it is told to end.

#include <cstdio>
#include <string>

#include <unistd.h>

#include <fmt/format.h>

#include "base/log.h"
#include "base/version.h"
#include "cmd/caissond/config.h"
#include "cmd/caissond/daemon.h"

namespace caissond {
namespace {

void print(std::FILE* stream, const std::string& text) { std::fwrite(text.data(), 1, text.size(), stream); }

int run(std::span<char* const> arguments) {
  auto config = read_config(arguments);
  if (!config) {
    print(stderr, "caissond: " + config.error().message() + "\n\nRun 'caissond --help' for more information\n");
    return 1;
  }
  if (config->help) {
    print(stdout, help_text());
    return 0;
  }
  if (config->version) {
    print(stdout, fmt::format("Caisson version {}\n", base::kVersion));
    return 0;
  }
  apply_log_settings(*config);
  for (const auto& warning : config->warnings) base::log::warn("{}", warning);
  if (config->validate) {
    print(stdout, "configuration OK\n");
    return 0;
  }
  if (::geteuid() != 0) {
    print(stderr, "caissond: needs to be started with root privileges: it makes namespaces, mounts and bridges\n");
    return 1;
  }
  const auto manager = sys::ServiceManager::from_environment();
  if (const auto done = serve(*config, arguments, manager); !done) {
    print(stderr, "caissond: " + done.error().message() + "\n");
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace caissond

int main(int argc, char** argv) {
  return caissond::run(std::span{argv, static_cast<std::size_t>(argc)}.subspan(argc > 0 ? 1 : 0));
}
