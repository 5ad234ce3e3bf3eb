#include "engine/containers/mounts.h"

#include <algorithm>
#include <array>

#include "base/id.h"
#include "base/strings.h"
#include "engine/oci/spec_builder.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "volume/store.h"

namespace engine {
namespace {

/// Words of a mode, each of one group; a group may stand once.
constexpr std::array<std::pair<std::string_view, std::string_view>, 15> kModes = {{
    {"rw", "access"},          {"ro", "access"},         {"z", "label"},        {"Z", "label"},
    {"nocopy", "copy"},        {"shared", "propagation"}, {"rshared", "propagation"},
    {"slave", "propagation"},  {"rslave", "propagation"}, {"private", "propagation"},
    {"rprivate", "propagation"}, {"consistent", "consistency"}, {"cached", "consistency"},
    {"delegated", "consistency"}, {"default", "consistency"},
}};

base::Result<> apply_mode(const std::string& mode, MountRecord& mount) {
  mount.mode = mode;
  if (mode.empty()) return {};
  std::vector<std::string_view> seen;
  for (const std::string_view word : base::split(mode, ',')) {
    const auto* known = std::ranges::find(kModes, word, &std::pair<std::string_view, std::string_view>::first);
    if (known == kModes.end() || std::ranges::find(seen, known->second) != seen.end()) {
      return base::invalid("invalid mode: " + mode);
    }
    seen.push_back(known->second);
    if (word == "ro") mount.writable = false;
    if (word == "nocopy") mount.copy_image = false;
    if (known->second == "propagation") mount.propagation = word;
  }
  if (mount.type == "volume" && !mount.propagation.empty()) return base::invalid("invalid mode: " + mode);
  if (mount.type == "bind" && std::ranges::find(seen, "copy") != seen.end()) return base::invalid("invalid mode: " + mode);
  return {};
}

/// Without "." and empty parts; ".." is resolved, as Go's path.Clean does.
std::string clean(std::string_view path) {
  std::vector<std::string_view> parts;
  for (const std::string_view part : base::split_words(path, '/')) {
    if (part == ".") continue;
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else {
      parts.push_back(part);
    }
  }
  std::string result;
  for (const std::string_view part : parts) result.append("/").append(part);
  return result.empty() ? "/" : result;
}

base::Result<> settle_destination(MountRecord& mount, std::string_view what) {
  if (!mount.destination.starts_with('/')) {
    return base::invalid(std::string{what} + ": invalid mount path: '" + mount.destination +
                         "' mount path must be absolute");
  }
  mount.destination = clean(mount.destination);
  if (mount.destination == "/") {
    return base::invalid(std::string{what} + ": invalid specification: destination can't be '/'");
  }
  return {};
}

base::Error bad_mount(const spec::api::Mount& mount, std::string_view why) {
  return base::invalid("invalid mount config for type \"" + mount.type + "\": " + std::string{why});
}

base::Result<MountRecord> parse_tmpfs(const std::string& destination, const std::string& options) {
  MountRecord mount{.type = "tmpfs", .destination = destination, .options = options};
  TRY(settle_destination(mount, "invalid tmpfs mount"));
  TRY(to_oci(mount));  // checks the options
  return mount;
}

base::Result<> put(std::vector<MountRecord>& mounts, MountRecord mount, bool replaces_inherited,
                   std::size_t inherited) {
  const auto there = std::ranges::find(mounts, mount.destination, &MountRecord::destination);
  if (there == mounts.end()) {
    mounts.push_back(std::move(mount));
  } else if (replaces_inherited && static_cast<std::size_t>(there - mounts.begin()) < inherited) {
    *there = std::move(mount);
  } else {
    return base::invalid("Duplicate mount point: " + mount.destination);
  }
  return {};
}

}  // namespace

base::Result<MountRecord> parse_bind(const std::string& text) {
  const auto parts = base::split(text, ':');
  const auto bad = [&] { return base::invalid("invalid volume specification: '" + text + "'"); };
  if (parts.empty() || parts.size() > 3 || parts[0].empty()) return bad();
  MountRecord mount;
  if (parts.size() == 1) {  // "/data": an anonymous volume
    mount.type = "volume";
    mount.destination = parts[0];
    mount.copy_image = true;
  } else {
    if (parts[1].empty()) return bad();
    mount.destination = parts[1];
    if (parts[0].starts_with('/')) {
      mount.type = "bind";
      mount.source = clean(parts[0]);
    } else {
      mount.type = "volume";
      mount.name = parts[0];
      mount.copy_image = true;
      TRY(volume::check_name(mount.name));
    }
  }
  const std::string what = "invalid volume specification: '" + text + "'";
  TRY(apply_mode(parts.size() == 3 ? std::string{parts[2]} : "", mount).context(what));
  TRY(settle_destination(mount, what));
  return mount;
}

base::Result<MountRecord> parse_mount(const spec::api::Mount& asked) {
  MountRecord mount{.type = asked.type, .source = asked.source, .destination = asked.target,
                    .writable = !asked.read_only};
  if (asked.type != "bind" && asked.bind_options) return bad_mount(asked, "field BindOptions must not be specified");
  if (asked.type != "volume" && asked.volume_options) {
    return bad_mount(asked, "field VolumeOptions must not be specified");
  }
  if (asked.type != "tmpfs" && asked.tmpfs_options) {
    return bad_mount(asked, "field TmpfsOptions must not be specified");
  }
  if (asked.type != "image" && asked.image_options) {
    return bad_mount(asked, "field ImageOptions must not be specified");
  }
  if (asked.target.empty()) return bad_mount(asked, "field Target must not be empty");
  if (!asked.target.starts_with('/')) {
    return bad_mount(asked, "invalid mount path: '" + asked.target + "' mount path must be absolute");
  }
  if (asked.type == "bind") {
    if (asked.source.empty()) return bad_mount(asked, "field Source must not be empty");
    if (!asked.source.starts_with('/')) {
      return bad_mount(asked, "invalid mount path: '" + asked.source + "' mount path must be absolute");
    }
    mount.source = clean(asked.source);
    if (asked.bind_options) {
      mount.propagation = asked.bind_options->propagation;
      mount.non_recursive = asked.bind_options->non_recursive;
      mount.copy_image = asked.bind_options->create_mountpoint;
      mount.shallow_read_only = asked.bind_options->read_only_non_recursive;
      if (mount.shallow_read_only && !asked.read_only) {
        return bad_mount(asked, "mode must be ReadOnly when ReadOnlyNonRecursive is enabled");
      }
      if (asked.bind_options->read_only_force_recursive) {
        if (!asked.read_only) return bad_mount(asked, "mode must be ReadOnly when ReadOnlyForceRecursive is enabled");
        if (mount.shallow_read_only || mount.non_recursive) {
          return bad_mount(asked, "ReadOnlyForceRecursive contradicts ReadOnlyNonRecursive and NonRecursive");
        }
        if (!mount.propagation.empty() && mount.propagation != "rprivate") {
          return bad_mount(asked, "mount propagation must be \"rprivate\" when ReadOnlyForceRecursive is enabled");
        }
      }
      const auto* known = std::ranges::find(kModes, std::string_view{mount.propagation},
                                            &std::pair<std::string_view, std::string_view>::first);
      if (!mount.propagation.empty() && (known == kModes.end() || known->second != "propagation")) {
        return bad_mount(asked, "invalid propagation mode: " + mount.propagation);
      }
    }
  } else if (asked.type == "volume") {
    mount.name = asked.source;
    mount.source.clear();
    mount.copy_image = true;
    if (!mount.name.empty()) TRY(volume::check_name(mount.name));
    if (asked.volume_options) {
      mount.copy_image = !asked.volume_options->no_copy;
      mount.subpath = asked.volume_options->subpath;
      if (mount.name.empty() && !mount.subpath.empty()) {
        return bad_mount(asked, "must not set Subpath when using anonymous volumes");
      }
    }
  } else if (asked.type == "tmpfs") {
    if (!asked.source.empty()) return bad_mount(asked, "field Source must not be specified");
    if (asked.tmpfs_options) {
      const spec::api::TmpfsOptions& tmpfs = *asked.tmpfs_options;
      std::vector<std::string> options;
      if (tmpfs.size_bytes > 0) options.push_back("size=" + std::to_string(tmpfs.size_bytes));
      if (tmpfs.mode != 0) {
        std::string octal;
        for (std::uint32_t mode = tmpfs.mode; mode != 0; mode >>= 3U) octal.insert(octal.begin(), static_cast<char>('0' + (mode & 7U)));
        options.push_back("mode=" + octal);
      }
      for (const auto& option : tmpfs.options) options.push_back(base::join(option, "="));
      mount.options = base::join(options, ",");
    }
    if (asked.read_only) mount.options += mount.options.empty() ? "ro" : ",ro";
  } else if (asked.type == "image") {
    if (asked.source.empty()) return bad_mount(asked, "field Source must not be empty");
    mount.writable = false;
    if (asked.image_options) mount.subpath = asked.image_options->subpath;
  } else {
    return base::invalid("invalid mount config for type \"" + asked.type + "\": mount type unknown");
  }
  TRY(settle_destination(mount, "invalid mount config for type \"" + asked.type + "\""));
  return mount;
}

base::Result<> check_bind_source(const spec::api::Mount& mount) {
  const bool may_be_made = mount.bind_options && mount.bind_options->create_mountpoint;
  if (mount.type != "bind" || may_be_made || TRY(sys::exists(sys::kCwd, mount.source))) return {};
  return bad_mount(mount, "bind source path does not exist: " + mount.source);
}

base::Result<std::pair<std::string, std::string>> parse_volumes_from(const std::string& text) {
  if (text.empty()) return base::invalid("volumes-from specification cannot be an empty string");
  const auto parts = base::cut(text, ":");
  if (!parts) return std::pair{text, std::string{}};
  MountRecord probe{.type = "volume"};
  TRY(apply_mode(std::string{parts->second}, probe));
  return std::pair{std::string{parts->first}, std::string{parts->second}};
}

base::Result<std::vector<MountRecord>> collect_mounts(const spec::api::ContainerConfig& config,
                                                      const spec::api::HostConfig& host,
                                                      const std::vector<InheritedMounts>& inherited) {
  std::vector<MountRecord> mounts;
  for (const InheritedMounts& from : inherited) {
    for (MountRecord mount : from.mounts) {
      if (mount.type == "tmpfs") continue;
      if (!from.mode.empty()) mount.writable = from.mode.find("ro") == std::string::npos;
      mount.copy_image = false;
      mount.anonymous = false;  // its owner removes it
      const auto there = std::ranges::find(mounts, mount.destination, &MountRecord::destination);
      if (there == mounts.end()) mounts.push_back(std::move(mount));
    }
  }
  const std::size_t count = mounts.size();
  for (const std::string& bind : host.binds.value_or(spec::api::StringList{})) {
    TRY(put(mounts, TRY(parse_bind(bind)), true, count));
  }
  for (const spec::api::Mount& mount : host.mounts.value_or(std::vector<spec::api::Mount>{})) {
    TRY(put(mounts, TRY(parse_mount(mount)), true, count));
  }
  for (const auto& [destination, options] : host.tmpfs.value_or(spec::api::Labels{})) {
    TRY(put(mounts, TRY(parse_tmpfs(destination, options)), true, count));
  }
  for (const auto& [destination, none] : config.volumes.value_or(spec::api::NameSet{})) {
    MountRecord mount{.type = "volume", .destination = destination, .copy_image = true};
    TRY(settle_destination(mount, "invalid volume specification: '" + destination + "'"));
    if (std::ranges::find(mounts, mount.destination, &MountRecord::destination) == mounts.end()) {
      mounts.push_back(std::move(mount));
    }
  }
  for (MountRecord& mount : mounts) {
    if (mount.type != "volume" || !mount.name.empty()) continue;
    mount.name = base::random_id();
    mount.anonymous = true;
  }
  return mounts;
}

base::Result<spec::oci::Mount> to_oci(const MountRecord& mount) {
  spec::oci::Mount result;
  result.destination = mount.destination;
  if (mount.type == "tmpfs") {
    result.type = result.source = "tmpfs";
    std::vector<std::string> options{"noexec", "nosuid", "nodev", "rprivate"};
    for (const std::string_view option : base::split_words(mount.options, ',')) options.emplace_back(option);
    result.options = TRY(oci::merge_tmpfs_options(options));
    return result;
  }
  result.type = "bind";
  result.source = mount.source;
  result.options = {mount.non_recursive ? "bind" : "rbind", mount.propagation.empty() ? "rprivate" : mount.propagation};
  if (!mount.writable) {
    const bool recursive = !mount.non_recursive && !mount.shallow_read_only && sys::has_mount_api();
    result.options.emplace_back(recursive ? "rro" : "ro");
  }
  return result;
}

spec::api::MountPoint to_api(const MountRecord& mount) {
  spec::api::MountPoint point;
  point.type = mount.type;
  point.name = mount.name;
  point.source = mount.source;
  point.destination = mount.destination;
  point.mode = mount.mode;
  point.rw = mount.writable;
  if (mount.type == "volume") point.driver = "local";
  if (mount.type == "bind") point.propagation = mount.propagation.empty() ? "rprivate" : mount.propagation;
  return point;
}

}  // namespace engine
