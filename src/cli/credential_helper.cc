#include "cli/credential_helper.h"

#include <cstdlib>

#include <unistd.h>

#include <fmt/format.h>

#include "base/strings.h"
#include "codec/json.h"
#include "sys/fd.h"
#include "sys/file.h"
#include "sys/process.h"

extern char** environ;  // NOLINT: unistd.h of POSIX

namespace cli {

using base::Result;

namespace {

Result<std::string> find_program(const std::string& program) {
  const char* path = std::getenv("PATH");
  for (const auto directory : base::split(path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin", ':')) {
    std::string candidate = fmt::format("{}/{}", directory.empty() ? "." : directory, program);
    if (const auto there = sys::stat_at(sys::kCwd, candidate); there && S_ISREG(there->st_mode))
      return candidate;
    if (const auto link = sys::read_link(sys::kCwd, candidate)) return candidate;
  }
  return base::not_found(fmt::format(
      "error getting credentials - err: exec: \"{}\": executable file not found in $PATH, out: ``", program));
}

}  // namespace

Result<std::optional<Credentials>> ask_credential_helper(const std::string& name, const std::string& server) {
  using Answer = std::optional<Credentials>;
  const std::string program = TRY(find_program("docker-credential-" + name));
  sys::Pipe input = TRY(sys::make_pipe());
  sys::Pipe output = TRY(sys::make_pipe());
  sys::SpawnOptions options{.path = program, .argv = {program, "get"}};
  for (char** entry = environ; *entry != nullptr; ++entry) options.env.emplace_back(*entry);
  options.fds = {{input.read.get(), 0}, {output.write.get(), 1}, {2, 2}};
  const sys::Process helper = TRY(sys::spawn(options).context("start credential helper " + name));
  input.read.reset();
  output.write.reset();
  // The address is shorter than a pipe's buffer, so this can't block.
  base::ignore(sys::write_all(input.write.get(), server), "the helper may not want to read it");
  input.write.reset();
  const std::string answer = TRY(sys::read_to_end(output.read.get(), std::size_t{1} << 20U));
  const auto status = TRY(helper.wait());
  if (status.shell_code() != 0) {
    if (answer.find("credentials not found") != std::string::npos) return Answer{};
    return base::internal(fmt::format("error getting credentials - err: exit status {}, out: `{}`",
                                      status.shell_code(), base::trim(answer)));
  }
  const auto json = TRY(codec::Json::parse(answer).context("credential helper " + name));
  Credentials out{json["Username"].as_string(), json["Secret"].as_string(), {}};
  // A token stands where the user's name would.
  if (out.username == "<token>") return Answer{{{}, {}, out.password}};
  return Answer{std::move(out)};
}

}  // namespace cli
