#pragma once
/// What the shim asks of an OCI runtime, whichever it is: the built-in library or a program with
/// runc's command line. One container each. All calls block; none is made while the container could
/// hold them up (a paused one is not exec'ed into).

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/function_ref.h"
#include "base/result.h"
#include "codec/json.h"
#include "shim/protocol.h"
#include "sys/fd.h"

namespace shim::detail {

/// The process's ends of its streams; with a terminal there are none.
struct Streams {
  bool tty = false;
  sys::UniqueFd in, out, err;
};

struct NewProcess {
  pid_t pid = 0;           ///< a child of this process, now or once its own parent has left
  sys::UniqueFd terminal;  ///< the master, with a terminal
};

class OciRuntime {
 public:
  virtual ~OciRuntime() = default;

  using OnCloned = base::FunctionRef<base::Result<>(pid_t)>;
  /// `on_cloned` is called once, as soon as init has its namespaces.
  virtual base::Result<NewProcess> create(Streams streams, OnCloned on_cloned) = 0;
  virtual base::Result<> start() = 0;
  virtual base::Result<> kill(int signal, bool all) = 0;
  virtual base::Result<> pause() = 0;
  virtual base::Result<> resume() = 0;
  virtual base::Result<> update(const codec::Json& resources) = 0;
  virtual base::Result<NewProcess> exec(const std::string& id, const codec::Json& process, Streams streams) = 0;
  virtual base::Result<std::vector<int>> processes() = 0;
  /// Kills what is left, removes cgroup, mounts and state. Nothing there is success.
  virtual base::Result<> destroy() = 0;

  /// Readable after the kernel killed something for lack of memory; -1 if that can't be known.
  [[nodiscard]] virtual int oom_fd() const = 0;
  /// How many times so far; makes oom_fd() unreadable.
  virtual base::Result<std::uint64_t> oom_kills() = 0;
};

/// By options.runtime. `dir` is the run directory and the bundle.
std::unique_ptr<OciRuntime> open_runtime(const std::string& dir, const Options& options);

std::unique_ptr<OciRuntime> make_external_runtime(const std::string& dir, const Options& options);
std::unique_ptr<OciRuntime> make_builtin_runtime(const std::string& dir, const Options& options);

}  // namespace shim::detail
