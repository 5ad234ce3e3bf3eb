#include "client/ssh.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <mutex>

#include <unistd.h>

#include <fmt/format.h>

#include "base/strings.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/socket.h"

namespace client {

using base::Error;
using base::Result;

namespace {

constexpr std::array<std::string_view, 2> kRemotePrograms{"docker", "caisson"};
/// What a shell exits with when it finds no such program.
constexpr int kNoSuchProgram = 127;
constexpr std::size_t kMaxMessages = 16 * 1024;
/// How long a broken connection's ssh may take to say why.
constexpr std::chrono::seconds kLastWords{2};

Error bad_url(std::string_view why) {
  return base::invalid(fmt::format("ssh host connection is not valid: invalid SSH URL: {}", why));
}

/// A word that no remote shell changes.
bool is_plain_word(std::string_view text) {
  constexpr std::string_view kPlain = "/._-+:@%,=";
  return std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kPlain.find(c) != std::string_view::npos;
  });
}

Result<std::string> find_ssh() {
  const char* path = std::getenv("PATH");
  for (const auto directory : base::split(path != nullptr ? path : "/usr/bin:/bin", ':')) {
    std::string candidate = fmt::format("{}/ssh", directory.empty() ? "." : directory);
    if (sys::open_at(sys::kCwd, candidate, O_PATH)) return candidate;
  }
  return base::not_found("exec: \"ssh\": executable file not found in $PATH");
}

class SshDialer final : public http::Dialer {
 public:
  explicit SshDialer(SshHost host) : host_{std::move(host)} {}

  Result<sys::UniqueFd> dial() override {
    const std::lock_guard lock{mutex_};
    command_ = ssh_command(host_, kRemotePrograms[program_]);
    sys::SpawnOptions options{.path = TRY(find_ssh()), .argv = command_};
    for (char** entry = environ; *entry != nullptr; ++entry) options.env.emplace_back(*entry);
    auto sockets = TRY(sys::make_socket_pair(SOCK_STREAM));
    messages_ = TRY(sys::make_memory_file());
    options.fds = {{sockets.second.get(), 0}, {sockets.second.get(), 1}, {messages_.get(), 2}};
    reap();
    running_.push_back(TRY(sys::spawn(options).context("start ssh")));
    return std::move(sockets.first);
  }

  bool turns_after_failure() override {
    const std::lock_guard lock{mutex_};
    wait_for_end();
    if (!ended_ || ended_->shell_code() != kNoSuchProgram || program_ + 1 == kRemotePrograms.size()) {
      return false;
    }
    ++program_;
    return true;
  }

  Error explain(Error error) override {
    const std::lock_guard lock{mutex_};
    wait_for_end();
    if (!ended_) return error;
    const std::string end = ended_->by_signal() ? fmt::format("signal {}", ended_->signal())
                                                : fmt::format("exit status {}", ended_->shell_code());
    return Error{error.kind(),
                 fmt::format("command [{}] has exited with {}, make sure the URL is valid, and Docker 18.09 or "
                             "later or Caisson is installed on the remote host: stderr={}",
                             base::join(command_, " "), end, base::trim(said()))};
  }

 private:
  /// Those whose connection is closed have ended.
  void reap() {
    ended_.reset();
    std::erase_if(running_, [](const sys::Process& process) {
      const auto ended = process.try_wait();
      return !ended || *ended;
    });
  }

  /// The last one's exit status, if it ends soon.
  void wait_for_end() {
    if (ended_ || running_.empty()) return;
    const sys::Process& last = running_.back();
    if (!sys::poll_readable(last.pidfd(), kLastWords)) return;
    if (const auto status = last.wait()) ended_ = *status;
    running_.pop_back();
  }

  [[nodiscard]] std::string said() const {
    std::string text(kMaxMessages, '\0');
    const auto count = sys::read_at(messages_.get(), text, 0);
    text.resize(count ? *count : 0);
    return text;
  }

  const SshHost host_;
  std::mutex mutex_;  // guards all below
  std::size_t program_ = 0;
  std::vector<sys::Process> running_;
  // Of the last one:
  std::vector<std::string> command_;
  sys::UniqueFd messages_;
  std::optional<sys::ExitStatus> ended_;
};

}  // namespace

Result<SshHost> parse_ssh_host(std::string_view url) {
  constexpr std::string_view kScheme = "ssh://";
  if (!url.starts_with(kScheme)) return bad_url("no scheme provided");
  std::string_view rest = url.substr(kScheme.size());
  if (const auto fragment = base::cut(rest, "#")) {
    return bad_url(fmt::format("fragments are not allowed: {}", base::quoted(fragment->second)));
  }
  if (const auto query = base::cut(rest, "?")) {
    return bad_url(fmt::format("query parameters are not allowed: {}", base::quoted(query->second)));
  }
  SshHost out;
  const auto slash = rest.find('/');
  if (slash != std::string_view::npos) {
    out.socket = rest.substr(slash);
    if (out.socket == "/") out.socket.clear();
    rest = rest.substr(0, slash);
  }
  if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
    const std::string_view user = rest.substr(0, at);
    if (user.find(':') != std::string_view::npos) return bad_url("plain-text password is not supported");
    out.user = user;
    rest = rest.substr(at + 1);
  }
  const auto bracket = rest.rfind(']');
  const auto colon = rest.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    const auto port = base::parse_uint(rest.substr(colon + 1));
    if (!rest.substr(colon + 1).empty() && (!port || *port > UINT16_MAX)) {
      return bad_url(fmt::format("parse {}: invalid port {} after host", base::quoted(url),
                                 base::quoted(rest.substr(colon))));
    }
    out.port = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
  }
  if (rest.starts_with('[') && rest.ends_with(']')) rest = rest.substr(1, rest.size() - 2);
  if (rest.empty()) return bad_url("hostname is empty");
  out.name = rest;
  // ssh takes a word that begins so for an option, and a remote shell reads the socket's path.
  if (out.name.starts_with('-') || out.user.starts_with('-')) return bad_url("a name can't begin with '-'");
  if (!is_plain_word(out.socket)) {
    return bad_url(fmt::format("{} holds letters that a remote shell would read", base::quoted(out.socket)));
  }
  return out;
}

std::vector<std::string> ssh_command(const SshHost& host, std::string_view program) {
  std::vector<std::string> out{"ssh", "-o", "ConnectTimeout=30", "-T"};
  if (!host.user.empty()) out.insert(out.end(), {"-l", host.user});
  if (!host.port.empty()) out.insert(out.end(), {"-p", host.port});
  out.insert(out.end(), {"--", host.name, std::string{program}});
  if (!host.socket.empty()) out.insert(out.end(), {"--host", "unix://" + host.socket});
  out.insert(out.end(), {"system", "dial-stdio"});
  return out;
}

std::shared_ptr<http::Dialer> make_ssh_dialer(SshHost host) {
  return std::make_shared<SshDialer>(std::move(host));
}

}  // namespace client
