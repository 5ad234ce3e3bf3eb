#include "cli/credential_helper.h"

#include <cstdlib>

#include <unistd.h>

#include <fmt/format.h>

#include "base/strings.h"
#include "codec/json.h"
#include "sys/fd.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/socket.h"

extern char** environ;  // NOLINT: unistd.h of POSIX

namespace cli {

using base::Result;

namespace {

Result<std::string> find_program(const std::string& program, std::string_view what) {
  const char* path = std::getenv("PATH");
  for (const auto directory : base::split(path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin", ':')) {
    std::string candidate = fmt::format("{}/{}", directory.empty() ? "." : directory, program);
    if (const auto there = sys::stat_at(sys::kCwd, candidate); there && S_ISREG(there->st_mode))
      return candidate;
    if (const auto link = sys::read_link(sys::kCwd, candidate)) return candidate;
  }
  return base::not_found(fmt::format(
      "error {} credentials - err: exec: \"{}\": executable file not found in $PATH, out: ``", what, program));
}

/// Runs one action of the helper: its answer, or nullopt where it has nothing of the kind. `what` says what
/// can't be done without it.
Result<std::optional<std::string>> run_helper(const std::string& name, const std::string& action,
                                              const std::string& input, std::string_view what) {
  const std::string program = TRY(find_program("docker-credential-" + name, what));
  // A socket, not a pipe: a helper that does not read what it is told must not end this program (SIGPIPE).
  sys::SocketPair in = TRY(sys::make_socket_pair(SOCK_STREAM));
  sys::Pipe out = TRY(sys::make_pipe());
  sys::SpawnOptions options{.path = program, .argv = {program, action}};
  for (char** entry = environ; *entry != nullptr; ++entry) options.env.emplace_back(*entry);
  options.fds = {{in.second.get(), 0}, {out.write.get(), 1}, {2, 2}};
  const sys::Process helper = TRY(sys::spawn(options).context("start credential helper " + name));
  in.second.reset();
  out.write.reset();
  // What goes in is shorter than a socket's buffer, so this can't block.
  base::ignore(sys::send_message(in.first.get(), input), "the helper may not want to read it");
  in.first.reset();
  std::string answer = TRY(sys::read_to_end(out.read.get(), std::size_t{1} << 20U));
  const auto status = TRY(helper.wait());
  if (status.shell_code() == 0) return std::optional{std::move(answer)};
  if (answer.find("credentials not found") != std::string::npos) return std::optional<std::string>{};
  return base::internal(fmt::format("error {} credentials - err: exit status {}, out: `{}`", what,
                                    status.shell_code(), base::trim(answer)));
}

}  // namespace

Result<std::optional<Credentials>> ask_credential_helper(const std::string& name, const std::string& server) {
  using Answer = std::optional<Credentials>;
  const auto answer = TRY(run_helper(name, "get", server, "getting"));
  if (!answer) return Answer{};
  const auto json = TRY(codec::Json::parse(*answer).context("credential helper " + name));
  Credentials out{json["Username"].as_string(), json["Secret"].as_string(), {}};
  // A token stands where the user's name would.
  if (out.username == "<token>") return Answer{{{}, {}, out.password}};
  return Answer{std::move(out)};
}

Result<> tell_credential_helper(const std::string& name, const std::string& server, const Credentials& credentials) {
  const bool token = !credentials.identity_token.empty();
  const auto input = codec::Json::object({{"ServerURL", server},
                                          {"Username", token ? "<token>" : credentials.username},
                                          {"Secret", token ? credentials.identity_token : credentials.password}});
  TRY(run_helper(name, "store", input.dump(), "storing"));
  return {};
}

Result<> erase_in_credential_helper(const std::string& name, const std::string& server) {
  TRY(run_helper(name, "erase", server, "erasing"));
  return {};
}

}  // namespace cli
