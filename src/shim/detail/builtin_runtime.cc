/// The runtime module, in this process: no program is started but the container's own.
#include <csignal>

#include "cgroup/cgroup.h"
#include "runtime/container.h"
#include "shim/detail/oci_runtime.h"
#include "shim/detail/rootfs.h"
#include "sys/file.h"

namespace shim::detail {
namespace {

using base::Result;

class BuiltinRuntime final : public OciRuntime {
 public:
  BuiltinRuntime(std::string dir, Options options) : dir_{std::move(dir)}, options_{std::move(options)} {}

  Result<NewProcess> create(Streams streams, OnCloned on_cloned) override;
  Result<> start() override { return TRY(container())->start(); }
  Result<> kill(int signal, bool all) override { return TRY(container())->kill(signal, all); }
  Result<> pause() override { return TRY(container())->pause(); }
  Result<> resume() override { return TRY(container())->resume(); }
  Result<> update(const codec::Json& resources) override;
  Result<NewProcess> exec(const std::string& id, const codec::Json& process, Streams streams) override;
  Result<std::vector<int>> processes() override;
  Result<> destroy() override;
  [[nodiscard]] int oom_fd() const override { return oom_ ? oom_->fd() : -1; }
  Result<std::uint64_t> oom_kills() override { return oom_ ? oom_->kills() : Result<std::uint64_t>{0}; }

 private:
  /// The one created here, or the one that a shim before created.
  Result<runtime::Container*> container();
  Result<spec::oci::Spec> spec() const;

  const std::string dir_;
  const Options options_;
  std::optional<runtime::Container> container_;
  std::optional<cgroup::OomWatch> oom_;
};

Result<runtime::Container*> BuiltinRuntime::container() {
  if (!container_) container_ = TRY(runtime::Container::load(options_.runtime_root, options_.id));
  return &*container_;
}

Result<NewProcess> BuiltinRuntime::create(Streams streams, OnCloned on_cloned) {
  auto spec = TRY(this->spec());
  runtime::CreateOptions create;
  create.id = options_.id;
  create.bundle = dir_;
  create.state_root = options_.runtime_root;
  if (options_.systemd_cgroup) create.cgroup_driver = cgroup::Driver::Systemd;
  create.stdio = {std::move(streams.in), std::move(streams.out), std::move(streams.err)};
  if (options_.overlay) {
    create.rootfs = TRY(make_root(*options_.overlay));
  } else if (!options_.rootfs.empty()) {
    if (!spec.root) spec.root.emplace();
    spec.root->path = options_.rootfs;
  }
  auto cloned = [&](pid_t pid, int /*pidfd*/) -> Result<> { return on_cloned(pid); };
  create.on_namespaces = runtime::OnNamespaces{cloned};
  container_ = TRY(runtime::Container::create(spec, std::move(create)));
  // Without a memory controller nothing can be known.
  if (const auto group = container_->cgroup()) {
    if (auto watch = (*group)->watch_oom()) oom_ = std::move(*watch);
  }
  return NewProcess{container_->pid(), container_->take_pty_master()};
}

Result<> BuiltinRuntime::update(const codec::Json& resources) {
  return TRY(container())->update(TRY(codec::from_json<spec::oci::Resources>(resources)));
}

Result<NewProcess> BuiltinRuntime::exec(const std::string& /*id*/, const codec::Json& process, Streams streams) {
  const auto wanted = TRY(codec::from_json<spec::oci::Process>(process));
  runtime::ExecOptions options;
  options.stdio = {std::move(streams.in), std::move(streams.out), std::move(streams.err)};
  // Meanwhile this process serves nobody else.
  options.patience = std::chrono::seconds{10};
  auto handle = TRY(TRY(container())->exec(wanted, std::move(options)));
  return NewProcess{handle.process.pid(), std::move(handle.pty_master)};
}

Result<std::vector<int>> BuiltinRuntime::processes() {
  const auto pids = TRY(TRY(container())->processes());
  return std::vector<int>(pids.begin(), pids.end());
}

Result<spec::oci::Spec> BuiltinRuntime::spec() const {
  const std::string text = TRY(sys::read_file(sys::kCwd, dir_ + "/" + std::string{files::kConfig}));
  return spec::oci::parse_spec(text);
}

Result<> BuiltinRuntime::destroy() {
  auto found = container();
  if (found.failed_as(base::ErrorKind::NotFound)) {
    // What a shim that died before the runtime had recorded anything left.
    auto cleaned = runtime::Container::clean_up(options_.runtime_root, options_.id);
    return cleaned.failed_as(base::ErrorKind::NotFound) ? Result<>{} : std::move(cleaned);
  }
  TRY(TRY(std::move(found))->destroy(true));
  container_.reset();
  return {};
}

}  // namespace

std::unique_ptr<OciRuntime> make_builtin_runtime(const std::string& dir, const Options& options) {
  return std::make_unique<BuiltinRuntime>(dir, options);
}

std::unique_ptr<OciRuntime> open_runtime(const std::string& dir, const Options& options) {
  return options.runtime.empty() ? make_builtin_runtime(dir, options) : make_external_runtime(dir, options);
}

}  // namespace shim::detail
