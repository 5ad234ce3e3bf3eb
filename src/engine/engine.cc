#include "engine/engine.h"

#include <unistd.h>

#include "base/id.h"
#include "base/log.h"
#include "base/strings.h"
#include "content/store.h"
#include "engine/cgroup_driver.h"
#include "engine/containers/recover.h"
#include "engine/containers/verbs.h"
#include "engine/container_files_service.h"
#include "engine/containers_service.h"
#include "engine/images_service.h"
#include "engine/live_settings.h"
#include "engine/oci/seccomp.h"
#include "engine/registries_service.h"
#include "logs/driver.h"
#include "net/records.h"
#include "sys/file.h"
#include "sys/storage.h"

namespace engine {
namespace {

base::Result<> make_layout(const Options& options) {
  TRY(sys::make_dirs(sys::kCwd, options.data_root, 0710));
  TRY(sys::make_dirs(sys::kCwd, options.data_root + "/containers", 0710));
  TRY(sys::make_dirs(sys::kCwd, options.exec_root, 0711));
  TRY(sys::make_dirs(sys::kCwd, options.exec_root + "/containers", 0711));
  TRY(sys::make_dirs(sys::kCwd, options.exec_root + "/names", 0711));
  return sys::make_dirs(sys::kCwd, options.exec_root + "/runtime", 0711);
}

/// One daemon per data root: held as long as the descriptor is open.
base::Result<sys::UniqueFd> lock_data_root(const std::string& root) {
  auto file = TRY(sys::open_at(sys::kCwd, root + "/lock", O_RDWR | O_CREAT, 0600));
  if (!TRY(sys::lock_file(file.get(), sys::Wait::No))) {
    return base::conflict("another daemon uses " + root + ": stop it, or give this one a --data-root of its own");
  }
  return file;
}

/// "base=10.10.0.0/16,size=24"
base::Result<net::AddressPool> parse_pool(const std::string& text) {
  net::AddressPool pool{};
  for (const std::string_view part : base::split(text, ',')) {
    const auto pair = base::cut(part, "=");
    if (pair && pair->first == "base") {
      pool.base = TRY(net::Subnet::parse(pair->second));
    } else if (pair && pair->first == "size") {
      pool.size = static_cast<unsigned>(base::parse_uint(pair->second).value_or(0));
    } else {
      return base::invalid("invalid default-address-pool: " + base::quoted(text));
    }
  }
  if (pool.size < pool.base.length() || pool.size > 30) {
    return base::invalid("invalid default-address-pool: " + base::quoted(text) + ": size is not in the base network");
  }
  return pool;
}

base::Result<net::Options> network_options(const Options& options) {
  net::Options result;
  result.default_network = options.bridge != "none";
  if (!options.bridge.empty() && options.bridge != "none") result.bridge = options.bridge;
  result.bip = options.bip;
  result.fixed_cidr = options.fixed_cidr;
  if (!options.default_address_pools.empty()) {
    result.pools.clear();
    for (const std::string& pool : options.default_address_pools) result.pools.push_back(TRY(parse_pool(pool)));
  }
  if (options.mtu > 0) result.mtu = static_cast<std::uint32_t>(options.mtu);
  result.icc = options.icc;
  result.masquerade = options.ip_masq;
  result.host_ip = TRY(net::Ipv4::parse(options.ip));
  result.firewall = options.iptables;
  result.ip_forward = options.ip_forward;
  return result;
}

base::Result<std::string> seccomp_text(const std::string& option) {
  if (option.empty() || option == "builtin") return std::string{};
  if (option == "unconfined") return option;
  auto text = TRY(sys::read_file(sys::kCwd, option).context("opening seccomp profile (" + option + ") failed"));
  TRY(oci::SeccompProfile::parse(text).context(option));
  return text;
}

image::Options image_options(const Options& options) {
  image::Options images{.builtin_path = options.images_path,
                        .max_concurrent_downloads = options.max_concurrent_downloads,
                        .max_concurrent_uploads = options.max_concurrent_uploads};
  images.registries.mirrors = options.registry_mirrors;
  images.registries.insecure_registries = options.insecure_registries;
  images.registries.certs_dir = options.certs_dir;
  images.registries.attempts = options.max_download_attempts;
  return images;
}

/// A value made once and kept: `make` is called at the first start of this data root.
template <class Make>
base::Result<std::string> kept(state::Database& database, std::string_view key, Make make) {
  std::string value = TRY(database.meta(key));
  if (!value.empty()) return value;
  value = make();
  TRY(database.set_meta(key, value, state::Durability::PowerLoss));
  return value;
}

std::string uuid() {
  std::string digits = base::random_hex(32);
  for (const std::size_t at : {20U, 16U, 12U, 8U}) digits.insert(at, "-");
  return digits;
}

base::Result<PredefinedNetworks> predefined_networks(state::Database& database) {
  PredefinedNetworks networks;
  networks.host = base::NetworkId{TRY(kept(database, "network.host", base::random_id))};
  networks.none = base::NetworkId{TRY(kept(database, "network.none", base::random_id))};
  const std::string created = TRY(kept(database, "created", [] { return base::to_rfc3339(base::now()); }));
  networks.created = TRY(base::parse_rfc3339(created));
  return networks;
}

/// The collaborators in the order in which they need each other; destroyed in reverse.
struct Parts {
  Options options;
  HostFacts facts;
  oci::Defaults oci_defaults;
  std::optional<LiveSettings> live;
  sys::UniqueFd lock;
  std::unique_ptr<state::Database> database;
  std::unique_ptr<content::Store> content;
  std::unique_ptr<snapshot::Snapshotter> snapshots;
  std::unique_ptr<image::Store> images;
  std::unique_ptr<net::Manager> network;
  std::unique_ptr<volume::Store> volumes;
  EventBus events;
};

base::Result<std::unique_ptr<Parts>> open_parts(const Options& options) {
  auto parts = std::make_unique<Parts>();
  parts->options = options;
  TRY(make_layout(options));
  parts->lock = TRY(lock_data_root(options.data_root));
  parts->oci_defaults = {.ulimits = options.default_ulimits,
                         .no_new_privileges = options.no_new_privileges,
                         .init_path = options.init_path,
                         .cdi_spec_dirs = !options.cdi_spec_dirs.empty()
                                              ? options.cdi_spec_dirs
                                              : std::vector<std::string>{"/etc/cdi", "/var/run/cdi"},
                         .cgroup_parent = options.cgroup_parent};
  parts->facts = HostFacts::detect();
  parts->oci_defaults.cgroup_driver = TRY(cgroup_driver(options.exec_opts, parts->facts));
  TRY(check_cgroup_parent(options.cgroup_parent, parts->oci_defaults.cgroup_driver));
  parts->oci_defaults.seccomp_profile = TRY(seccomp_text(options.seccomp_profile));
  parts->live.emplace(options, parts->oci_defaults.cgroup_driver);
  parts->database = TRY(state::Database::open(options.data_root + "/caisson.db"));
  TRY(parts->events.keep_in(*parts->database));
  parts->content = TRY(content::Store::open(options.data_root + "/content"));
  parts->snapshots = TRY(snapshot::open(options.storage_driver, options.data_root + "/snapshots", *parts->database));
  parts->images =
      TRY(image::Store::open(*parts->database, *parts->content, *parts->snapshots, image_options(options)));
  net::Options network = TRY(network_options(options));
  parts->network = TRY(net::Manager::open(std::move(network), net::records_in(*parts->database)));
  parts->facts.look_at_forwarding();
  parts->volumes = TRY(volume::Store::open(options.data_root + "/volumes", *parts->database));
  return parts;
}

class EngineImpl final : public Engine {
 public:
  EngineImpl(std::unique_ptr<Parts> parts, std::unique_ptr<Reactor> reactor, PredefinedNetworks predefined,
             std::string id)
      : parts_{std::move(parts)},
        reactor_{std::move(reactor)},
        workers_{std::make_unique<Workers>()},
        core_{.options = parts_->options, .facts = parts_->facts, .oci_defaults = parts_->oci_defaults,
              .live = *parts_->live, .database = *parts_->database, .snapshots = *parts_->snapshots,
              .images = *parts_->images, .network = *parts_->network, .volumes = *parts_->volumes,
              .events = parts_->events, .reactor = *reactor_, .workers = *workers_},
        answers_{core_},
        containers_{core_},
        execs_{core_},
        files_{core_},
        images_{*parts_->images, answers_, parts_->events},
        networks_{*parts_->network, answers_, parts_->events, std::move(predefined)},
        volumes_{*parts_->volumes, answers_, parts_->events},
        id_{id},
        registries_{parts_->images->registries()},
        system_{*parts_->live, parts_->facts, answers_, parts_->events, std::move(id),
                std::string{parts_->snapshots->name()}} {}

  ~EngineImpl() override {
    core_.shutting_down = true;
    workers_.reset();  // their tasks use everything below
    reactor_.reset();
  }

  base::Result<> recover() { return engine::recover(core_); }

  Containers& containers() override { return containers_; }
  Execs& execs() override { return execs_; }
  ContainerFiles& files() override { return files_; }
  Images& images() override { return images_; }
  Networks& networks() override { return networks_; }
  Volumes& volumes() override { return volumes_; }
  Registries& registries() override { return registries_; }
  System& system() override { return system_; }
  Events& events() override { return parts_->events; }

  base::Result<> reload(const Options& options) override {
    TRY(check_options(options));
    TRY(parts_->images->reconfigure(image_options(options)));
    parts_->live->reload(options);
    parts_->events.publish("daemon", "reload", id_,
                           reload_attributes(parts_->live->now()->options, parts_->facts.hostname));
    return {};
  }

  void shutdown() override {
    core_.shutting_down = true;
    const auto settings = parts_->live->now();
    if (settings->options.live_restore) return;
    stop_all(settings->options.shutdown_timeout);
  }

 private:
  /// All at once, each with its own stop signal; its own stop timeout, or the daemon's.
  void stop_all(int shutdown_timeout) {
    Workers stoppers;
    for (const ContainerPtr& container : core_.table.all()) {
      if (!counts_as_running(container->state())) continue;
      stoppers.post([this, container, shutdown_timeout] {
        StopOptions options;
        if (!container->record()->config.stop_timeout) options.timeout = std::chrono::seconds{shutdown_timeout};
        if (const auto stopped = stop_running(core_, container, options); !stopped) {
          base::log::warn("container {}: {}", container->id(), stopped.error().message());
        }
      });
    }
  }

  std::unique_ptr<Parts> parts_;
  std::unique_ptr<Reactor> reactor_;
  std::unique_ptr<Workers> workers_;
  Core core_;
  ContainerAnswers answers_;
  ContainersService containers_;
  ExecsService execs_;
  ContainerFilesService files_;
  ImagesService images_;
  NetworksService networks_;
  VolumesService volumes_;
  const std::string id_;
  RegistriesService registries_;
  SystemService system_;
};

}  // namespace

base::Result<std::unique_ptr<Engine>> Engine::open(const Options& options) {
  if (::geteuid() != 0) {
    return base::Error{base::ErrorKind::PermissionDenied, "the engine needs root: start it with sudo"};
  }
  TRY(logs::validate({.driver = options.log_driver, .options = options.log_opts}).context("failed to set log opts"));
  auto parts = TRY(open_parts(options));
  auto predefined = TRY(predefined_networks(*parts->database));
  std::string id = TRY(kept(*parts->database, "engine.id", uuid));
  auto reactor = TRY(Reactor::start());
  auto engine = std::make_unique<EngineImpl>(std::move(parts), std::move(reactor), std::move(predefined), std::move(id));
  TRY(engine->recover());
  return std::unique_ptr<Engine>{std::move(engine)};
}

}  // namespace engine
