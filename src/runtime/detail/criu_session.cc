#include "runtime/detail/criu_session.h"

#include <array>
#include <cstdlib>

#include <unistd.h>

#include <fmt/format.h>

#include "base/strings.h"
#include "sys/file.h"
#include "sys/socket.h"
#include "sys/stream_socket.h"

namespace runtime::detail::criu {

using base::Result;
using sys::UniqueFd;

namespace {

constexpr int kSocketNumber = 3;
constexpr std::size_t kLongestResponse = 64 * 1024;
/// 3.15 (2020): external PID namespaces, the freezer of cgroup v2, "status-ready".
constexpr std::int32_t kOldestVersion = 31500;

std::string environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): single-threaded
  return value == nullptr ? std::string{} : std::string{value};
}

std::vector<std::string> inherited_environment() {
  std::vector<std::string> out;
  for (char** one = ::environ; one != nullptr && *one != nullptr; ++one) out.emplace_back(*one);
  return out;
}

}  // namespace

Result<std::string> find_criu(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  // CRIU is an administrator's program: a daemon's PATH may lack the directories of those.
  const std::string path = environment("PATH") + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  for (const auto directory : base::split(path, ':')) {
    if (!directory.starts_with('/')) continue;
    std::string candidate = std::string{directory} + "/" + name;
    if (TRY(sys::exists(sys::kCwd, candidate))) return candidate;
  }
  return base::not_found(name + " is not installed");
}

Result<Session> Session::start(const std::string& program, std::vector<sys::FdMapping> fds) {
  auto found = find_criu(program);
  if (!found) {
    return base::not_implemented("checkpoint and restore need CRIU, which is not here: " + found.error().message());
  }
  auto pair = TRY(sys::make_socket_pair(SOCK_SEQPACKET));
  UniqueFd output = TRY(sys::make_memory_file());
  sys::SpawnOptions options;
  options.path = *found;
  options.argv = {"criu", "swrk", fmt::format("{}", kSocketNumber)};
  options.env = inherited_environment();
  options.fds = std::move(fds);
  options.fds.push_back({output.get(), 1});
  options.fds.push_back({output.get(), 2});
  options.fds.push_back({pair.second.get(), kSocketNumber});
  auto process = sys::spawn(options);
  // So that its end is the end of the stream.
  pair.second.reset();
  if (process.failed_as(base::ErrorKind::NotFound)) {
    return base::not_implemented("checkpoint and restore need CRIU, which is not here: " + process.error().message());
  }
  Session session{TRY(std::move(process).context("start criu")), std::move(pair.first), std::move(output)};
  const Response response =
      TRY(session.ask({.type = RequestType::Version, .opts = {}, .notify_success = {}, .keep_open = true, .features = {}})
              .context("ask criu for its version"));
  if (!response.version) return base::internal(*found + " does not tell its version: is it CRIU?");
  session.version_ = *response.version;
  const auto& version = session.version_;
  if (version.number() < kOldestVersion) {
    return base::not_implemented(fmt::format("CRIU {}.{}.{} is too old: checkpoint and restore need 3.15 or newer",
                                             version.major, version.minor, version.sublevel));
  }
  return session;
}

Session::~Session() {
  if (!process_.valid()) return;
  socket_.reset();
  base::ignore(process_.wait(), "only to reap it");
}

Result<Features> Session::features(const Features& wanted) {
  const Response response =
      TRY(ask({.type = RequestType::FeatureCheck, .opts = {}, .notify_success = {}, .keep_open = true, .features = wanted})
              .context("ask criu for its features"));
  return response.features.value_or(Features{});
}

Result<> Session::send(const Request& request) const { return sys::send_message(socket_.get(), encode(request)); }

Result<Session::Answer> Session::receive() const {
  // Its end alone is no end of the stream: processes that it was restoring may have the socket, too.
  std::array<sys::PollItem, 2> items{{{socket_.get(), POLLIN}, {process_.pidfd(), POLLIN}}};
  TRY(sys::wait_any(items, sys::kNoDeadline));
  if (items[0].ready == 0 && !sys::poll_readable(socket_.get(), std::chrono::seconds{0})) {
    return base::internal("criu ended without an answer");
  }
  auto message = TRY(sys::receive_message(socket_.get(), kLongestResponse));
  if (!message) return base::internal("criu ended without an answer");
  Response response = TRY(decode(message->bytes));
  UniqueFd fd;
  if (!message->fds.empty()) fd = std::move(message->fds.front());
  return Answer{std::move(response), std::move(fd)};
}

Result<Response> Session::ask(const Request& request) {
  auto sent = send(request);
  auto answer = sent ? receive() : Result<Answer>{std::move(sent).error()};
  if (answer && answer->response.success && answer->response.type == request.type) return std::move(answer->response);
  const std::string reason = errors_in_log(early_output());
  const std::string what = answer ? "criu refuses" : answer.error().message();
  return base::internal(reason.empty() ? what : what + ": " + reason);
}

Result<Response> Session::perform(const Request& request, const std::string& log, OnEvent on_event) {
  const auto failed = [&](std::string_view how) {
    return base::internal(fmt::format("criu {} failed{}{}{}", name_of(request.type), how.empty() ? "" : ": ", how, reason(log)));
  };
  if (const auto sent = send(request); !sent) return failed(sent.error().message());
  while (true) {
    auto answer = receive();
    if (!answer) return failed(answer.error().message());
    Response& response = answer->response;
    if (!response.success) {
      // Errno values are CRIU's own guess at a category, often none.
      return failed(response.cr_errno != 0 ? base::errno_text(response.cr_errno) : "");
    }
    if (response.type == request.type) return std::move(response);
    if (response.type != RequestType::Notify || !response.notify) {
      return failed(fmt::format("an answer out of turn ({})", name_of(response.type)));
    }
    auto served = on_event({std::move(*response.notify), std::move(answer->fd)});
    Request reply{.type = RequestType::Notify, .opts = {}, .notify_success = served.has_value(), .keep_open = false, .features = {}};
    const auto replied = send(reply);
    if (!served) {
      // CRIU undoes what it has done before it goes.
      socket_.reset();
      base::ignore(process_.wait(), "only to reap it");
      process_ = {};
      return std::move(served).error();
    }
    if (!replied) return failed(replied.error().message());
  }
}

std::string Session::early_output() const {
  std::string text(8192, '\0');
  const auto length = sys::read_at(output_.get(), text, 0);
  text.resize(length ? *length : 0);
  return text;
}

std::string Session::reason(const std::string& log) const {
  const auto text = sys::read_file(sys::kCwd, log);
  std::string errors = text ? errors_in_log(*text) : std::string{};
  if (!errors.empty()) return fmt::format(": {} (log file: {})", errors, log);
  errors = errors_in_log(early_output());
  return errors.empty() ? fmt::format(" (log file: {})", log) : ": " + errors;
}

std::string errors_in_log(std::string_view log) {
  // "(00.012345)      1: Error (criu/mount.c:1088): mnt: Mount 29 ./x (master_id: 1) has …"
  constexpr std::size_t kMost = 3;
  constexpr std::string_view kMark = "Error (";
  std::vector<std::string_view> found;
  for (auto line : base::split(log, '\n')) {
    const auto mark = line.find(kMark);
    if (mark == std::string_view::npos || found.size() == kMost) continue;
    line.remove_prefix(mark + kMark.size());
    const auto end = line.find("): ");
    if (end != std::string_view::npos) line.remove_prefix(end + 3);
    line = base::trim(line);
    // "Dumping FAILED.": that is known.
    if (!line.empty() && !line.ends_with("FAILED.") && (found.empty() || found.back() != line)) found.push_back(line);
  }
  std::string out;
  for (const auto line : found) out.append(out.empty() ? "" : "; ").append(line);
  return out;
}

}  // namespace runtime::detail::criu
