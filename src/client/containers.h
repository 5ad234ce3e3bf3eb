#pragma once
/// /containers and /exec. `ref` is an id, an unambiguous prefix or a name; it is encoded here.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/client.h"
#include "spec/engine/container_state.h"

namespace client {

struct CreateOptions {
  std::string name;      ///< "" : the daemon finds one
  std::string platform;  ///< "linux/amd64"
  spec::api::CreateContainerRequest request;
};

struct ListOptions {
  bool all = false, size = false;
  std::int64_t limit = 0;
  Filters filters;
};

struct StopOptions {
  std::string signal;                   ///< "" : the container's own
  std::optional<std::int64_t> timeout;  ///< s; -1 waits for ever
};

struct RemoveOptions {
  bool volumes = false, link = false, force = false;
};

struct LogsOptions {
  bool out = true, err = true, follow = false, timestamps = false, details = false;
  std::string since, until;
  std::string tail;  ///< "all", "10"
};

struct AttachOptions {
  bool stream = true, in = false, out = false, err = false, logs = false;
  std::string detach_keys;
};

struct LogStream {
  std::unique_ptr<http::Reply> bytes;
  std::optional<bool> multiplexed;  ///< as RawStream's
};

/// A wait that the daemon knows of: no exit after `wait` returned is missed.
class PendingWait {
 public:
  explicit PendingWait(std::unique_ptr<http::Reply> reply) : reply_{std::move(reply)} {}

  /// Blocks until the container has ended. Errors: Unavailable if the daemon goes away first.
  base::Result<spec::api::WaitResponse> get();
  /// Without blocking: nullopt while it has not ended; poll(2) `fd` for the change.
  base::Result<std::optional<spec::api::WaitResponse>> check();
  [[nodiscard]] int fd() const { return reply_->fd(); }

 private:
  std::unique_ptr<http::Reply> reply_;
  std::string buffer_;
};

class Containers {
 public:
  explicit Containers(Client& client) : client_{client} {}

  base::Result<spec::api::CreateContainerResponse> create(const CreateOptions& options);
  base::Result<std::vector<spec::api::ContainerSummary>> list(const ListOptions& options);
  base::Result<spec::api::ContainerInspect> inspect(const std::string& ref, bool size = false);
  /// As the daemon wrote it, for `inspect`'s output.
  base::Result<codec::Json> inspect_raw(const std::string& ref, bool size = false);
  base::Result<> start(const std::string& ref, const std::string& detach_keys = {});
  base::Result<> stop(const std::string& ref, const StopOptions& options = {});
  base::Result<> restart(const std::string& ref, const StopOptions& options = {});
  base::Result<> kill(const std::string& ref, const std::string& signal);
  base::Result<> remove(const std::string& ref, const RemoveOptions& options = {});
  base::Result<> rename(const std::string& ref, const std::string& name);
  /// The daemon's warnings.
  base::Result<spec::api::StringList> update(const std::string& ref, const spec::api::UpdateRequest& request);
  base::Result<> pause(const std::string& ref);
  base::Result<> unpause(const std::string& ref);
  base::Result<> resize(const std::string& ref, unsigned rows, unsigned columns);
  base::Result<spec::api::TopResponse> top(const std::string& ref, const std::vector<std::string>& ps_args);
  /// `condition`: "" or "not-running", "next-exit", "removed".
  base::Result<PendingWait> wait(const std::string& ref, const std::string& condition = {});
  base::Result<LogStream> logs(const std::string& ref, const LogsOptions& options);
  base::Result<RawStream> attach(const std::string& ref, const AttachOptions& options);
  /// {"ContainersDeleted": …, "SpaceReclaimed": …}

 private:
  Client& client_;
};

class Execs {
 public:
  explicit Execs(Client& client) : client_{client} {}

  /// The exec's id.
  base::Result<std::string> create(const std::string& container, const spec::api::ExecConfig& config);
  base::Result<> start_detached(const std::string& id, const spec::api::ExecStartRequest& request);
  base::Result<RawStream> start(const std::string& id, const spec::api::ExecStartRequest& request);
  base::Result<spec::api::ExecInspect> inspect(const std::string& id);
  base::Result<> resize(const std::string& id, unsigned rows, unsigned columns);

 private:
  Client& client_;
};

}  // namespace client
