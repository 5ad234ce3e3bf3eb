#pragma once
/// --pidfd-socket: a descriptor of the new process for whoever listens on a unix socket, as soon as
/// there is one. Source: runc's documentation of that flag.

#include <string>

#include <sys/socket.h>

#include "base/result.h"
#include "sys/fd.h"
#include "sys/socket.h"

namespace caisson_runtime {

/// A runtime::OnNamespaces.
class PidfdSender {
 public:
  explicit PidfdSender(std::string path) : path_{std::move(path)} {}
  [[nodiscard]] bool wanted() const { return !path_.empty(); }

  base::Result<> operator()(pid_t /*pid*/, int pidfd) const {
    const sys::UniqueFd socket = TRY(sys::connect_unix(path_, SOCK_STREAM).context("connect to the pidfd socket"));
    return sys::send_message(socket.get(), "pidfd", {pidfd}).context("send the pidfd");
  }

 private:
  std::string path_;
};

}  // namespace caisson_runtime
