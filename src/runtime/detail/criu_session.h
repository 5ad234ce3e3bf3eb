#pragma once
/// One run of CRIU: `criu swrk 3`, which serves the socket that it finds as descriptor 3 and goes when
/// that is closed. Source: criu(8), "swrk"; https://criu.org/RPC.

#include <string>
#include <string_view>
#include <vector>

#include "base/function_ref.h"
#include "base/result.h"
#include "runtime/detail/criu_rpc.h"
#include "sys/process.h"

namespace runtime::detail::criu {

/// CRIU at some point of its work. It waits until the callback has returned, and gives up if that fails.
struct Event {
  Notification notification;
  sys::UniqueFd fd;  ///< "orphan-pts-master": the terminal's master
};
using OnEvent = base::FunctionRef<base::Result<>(Event event)>;

/// The program that `name` stands for: itself when it has a slash, else found in PATH or in one of the
/// directories where administrators' programs are. Errors: NotFound.
base::Result<std::string> find_criu(const std::string& name);

class Session {
 public:
  /// Starts CRIU with `fds` beside its socket, 0 to 2 included. Its output before it has a log is kept
  /// for error messages; descriptors 1 and 2 are that, and 3 is the socket.
  /// Errors: NotImplemented when it isn't installed or older than 3.15.
  static base::Result<Session> start(const std::string& program, std::vector<sys::FdMapping> fds);

  Session(Session&&) noexcept = default;
  Session& operator=(Session&&) = delete;
  /// Closes the socket, which ends CRIU, and reaps it.
  ~Session();

  [[nodiscard]] pid_t pid() const { return process_.pid(); }
  [[nodiscard]] const Version& version() const { return version_; }
  /// Which of `wanted` kernel and CRIU have. Errors: Internal.
  base::Result<Features> features(const Features& wanted);

  /// Sends a dump, a pre-dump or a restore and serves CRIU's notifications until it is done. A failed
  /// callback's error is the result. Errors: Internal, with what `log` (a path) has about the reason.
  base::Result<Response> perform(const Request& request, const std::string& log, OnEvent on_event);

 private:
  Session(sys::Process process, sys::UniqueFd socket, sys::UniqueFd output)
      : process_{std::move(process)}, socket_{std::move(socket)}, output_{std::move(output)} {}
  struct Answer {
    Response response;
    sys::UniqueFd fd;
  };
  base::Result<> send(const Request& request) const;
  base::Result<Answer> receive() const;
  base::Result<Response> ask(const Request& request);
  [[nodiscard]] std::string early_output() const;
  /// What CRIU says about its failure: the log's errors, or what it wrote before there was a log.
  [[nodiscard]] std::string reason(const std::string& log) const;

  sys::Process process_;
  sys::UniqueFd socket_;
  sys::UniqueFd output_;
  Version version_;
};

/// The first errors of a log of CRIU, without times and source lines: "Can't lookup mount=29; …".
[[nodiscard]] std::string errors_in_log(std::string_view log);

}  // namespace runtime::detail::criu
