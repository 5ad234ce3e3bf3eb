#pragma once
/// What is known of one container: the row in the state store, and what inspect and ps are made of.
/// A value: the containers service keeps the newest as an immutable snapshot and replaces it.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "engine/lifecycle.h"
#include "spec/engine/container_state.h"

namespace engine {

/// One mount that the user or the image asked for, resolved at create.
struct MountRecord {
  std::string type;         ///< "bind", "volume", "tmpfs", "image"
  std::string name;         ///< of a volume
  std::string source;       ///< on the host, or an image as the user calls it; "" for tmpfs
  std::string destination;  ///< in the container
  std::string mode;         ///< as written after the second colon of -v: "ro,z"
  std::string propagation;  ///< "rprivate", …
  bool writable = true;
  bool non_recursive = false;
  bool anonymous = false;    ///< `rm -v` removes the volume
  bool copy_image = false;   ///< an empty volume gets what the image has there
  bool shallow_read_only = false;  ///< read-only, but not what is mounted below the source
  std::string subpath;       ///< of a volume or image
  std::string image_id;      ///< of an image
  std::string options;       ///< of a tmpfs: "size=1m,exec"
};
void describe(auto& v, MountRecord& m) {
  v("type", m.type);
  v.opt("name", m.name);
  v.opt("source", m.source);
  v("destination", m.destination);
  v.opt("mode", m.mode);
  v.opt("propagation", m.propagation);
  v("writable", m.writable);
  v.opt("nonRecursive", m.non_recursive);
  v.opt("anonymous", m.anonymous);
  v.opt("copyImage", m.copy_image);
  v.opt("shallowReadOnly", m.shallow_read_only);
  v.opt("subpath", m.subpath);
  v.opt("imageId", m.image_id);
  v.opt("options", m.options);
}

/// One --link of the default network, resolved at create.
struct LinkRecord {
  std::string container;  ///< full id
  std::string alias;
};
void describe(auto& v, LinkRecord& l) {
  v("container", l.container);
  v("alias", l.alias);
}

struct Record {
  std::string id;    ///< 64 hex digits
  std::string name;  ///< without slash
  base::Time created{};
  std::string image_id;  ///< "sha256:…"
  std::string snapshotter, platform = "linux";
  spec::api::ContainerConfig config;    ///< merged with the image's
  spec::api::HostConfig host;           ///< with defaults filled in
  std::map<std::string, spec::api::EndpointSettings> networks;  ///< by name, as asked for
  std::vector<MountRecord> mounts;
  std::vector<LinkRecord> links;

  State state = State::Created;
  std::int64_t pid = 0;
  std::int64_t exit_code = 0;
  bool oom_killed = false;
  std::string error;  ///< why the last start failed
  std::optional<base::Time> started, finished;
  std::int64_t restart_count = 0;
  /// A client stopped it, so that `unless-stopped` leaves it alone and no policy restarts it.
  bool stopped_by_client = false;
  /// What the health check found, of the last run once it is over; nothing without one.
  std::optional<spec::api::Health> health;
  /// This engine stops it for being unhealthy, to start it again.
  bool ending_unhealthy = false;
};

/// JSON of the row. Errors: InvalidArgument for a row that another program damaged.
std::string to_row(const Record& record);
base::Result<Record> from_row(std::string_view text);

/// "Up 3 minutes (Paused)", "Exited (0) 2 seconds ago", as ps shows it. `health`: "", "starting", ….
[[nodiscard]] std::string status_text(const Record& record, base::Time now, std::string_view health = {});
[[nodiscard]] spec::api::ContainerState state_of(const Record& record);
/// The command as ps shows it: arguments with spaces are quoted.
[[nodiscard]] std::string command_text(const spec::api::ContainerConfig& config);

/// Whether the restart policy starts it again after an exit with this code.
[[nodiscard]] bool restarts_after_exit(const Record& record, std::int64_t exit_code);
/// … and when a daemon finds it not running at its own start.
[[nodiscard]] bool restarts_with_daemon(const Record& record);

}  // namespace engine
