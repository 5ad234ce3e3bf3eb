#include "cli/container/volumes.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/strings.h"
#include "cli/csv.h"
#include "flags/units.h"
#include "flags/value.h"
#include "sys/file.h"

namespace cli {

using base::Result;

namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// "./x" and "../x" from the working directory, without "." and ".." in the result.
std::string absolute(const std::string& path) {
  const auto here = sys::read_link(sys::kCwd, "/proc/self/cwd");
  if (!here) return path;
  const std::string whole = *here + "/" + path;
  std::vector<std::string> parts;
  for (const auto part : base::split_words(whole, '/')) {
    if (part == ".") continue;
    if (part != "..") {
      parts.emplace_back(part);
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  return "/" + base::join(parts, "/");
}

struct VolumeSpec {
  std::string source;
};

/// The sections of `spec`; a letter before a colon is a drive of Windows, as docker takes it.
Result<VolumeSpec> parse_volume(const std::string& spec) {
  if (spec.empty()) return base::invalid("invalid empty volume spec");
  VolumeSpec out;
  if (spec.size() <= 2) return out;
  const auto bad = [&](std::string_view why) {
    return base::invalid(fmt::format("invalid spec: {}: {}", spec, why));
  };
  std::string section;
  std::size_t sections = 0;
  for (std::size_t i = 0; i <= spec.size(); ++i) {
    const bool end = i == spec.size();
    if (!end && (spec[i] != ':' || (section.size() == 1 && is_letter(section[0])))) {
      section += spec[i];
      continue;
    }
    if (section.empty()) return bad("empty section between colons");
    if (sections == 0 && !end) out.source = section;
    if (sections == 2 && !end) return bad("too many colons");
    ++sections;
    section.clear();
  }
  return out;
}

bool is_file_path(std::string_view source) {
  return source.starts_with('.') || source.starts_with('/') || source.starts_with('~') ||
         (source.size() > 1 && is_letter(source[0]) && source[1] == ':');
}

}  // namespace

Result<Volumes> parse_volumes(const std::vector<std::string>& specs) {
  Volumes out;
  for (const auto& spec : specs) {
    const VolumeSpec volume = TRY(parse_volume(spec));
    if (volume.source.empty()) {
      out.anonymous[spec];
      continue;
    }
    std::string bind = spec;
    if (is_file_path(volume.source) && spec.starts_with('.')) {
      const auto colon = spec.find(':');
      bind = absolute(spec.substr(0, colon)) + spec.substr(colon);
    }
    if (std::ranges::find(out.binds, bind) == out.binds.end()) out.binds.push_back(std::move(bind));
  }
  return out;
}

namespace {

void set_pair(spec::api::Labels& map, std::string_view text) {
  const auto pair = base::cut(text, "=");
  const std::string key{pair ? pair->first : text};
  if (!key.empty()) map[key] = pair ? pair->second : "";
}

/// A --mount under construction: asking for an option of a type makes the type's part.
class MountBuilder {
 public:
  MountBuilder() { mount_.type = "volume"; }

  Result<> field(const std::string& text) {
    const auto pair = base::cut(text, "=");
    const std::string key = base::to_lower(pair ? pair->first : text);
    if (!pair) return flag(key, text);
    const std::string value{pair->second};
    if (key == "type") {
      mount_.type = base::to_lower(value);
    } else if (key == "source" || key == "src") {
      mount_.source = value == "." || value.starts_with("./") ? absolute(value) : value;
    } else if (key == "target" || key == "dst" || key == "destination") {
      mount_.target = value;
    } else if (key == "readonly" || key == "ro") {
      mount_.read_only = TRY(parse_bool(key, value));
    } else if (key == "consistency") {
      mount_.consistency = base::to_lower(value);
    } else if (key.starts_with("bind-")) {
      return bind_field(key, value, text);
    } else if (key.starts_with("volume-")) {
      return volume_field(key, value, text);
    } else if (key == "image-subpath") {
      image().subpath = value;
    } else if (key == "tmpfs-size") {
      const auto size = flags::parse_ram_bytes(value);
      if (!size) return bad_value(key, value);
      tmpfs().size_bytes = *size;
    } else if (key == "tmpfs-mode") {
      const auto mode = base::parse_octal(value);
      if (!mode || *mode > UINT32_MAX) return bad_value(key, value);
      tmpfs().mode = static_cast<std::uint32_t>(*mode);
    } else {
      return unexpected(key, text);
    }
    return {};
  }

  Result<spec::api::Mount> take() {
    if (mount_.type.empty()) return base::invalid("type is required");
    if (mount_.volume_options && mount_.type != "volume") return mixed("volume");
    if (mount_.image_options && mount_.type != "image") return mixed("image");
    if (mount_.bind_options && mount_.type != "bind") return mixed("bind");
    if (mount_.tmpfs_options && mount_.type != "tmpfs") return mixed("tmpfs");
    if (mount_.bind_options) {
      const auto& bind = *mount_.bind_options;
      if (bind.read_only_non_recursive && !mount_.read_only) return needs("writable", "readonly");
      if (bind.read_only_force_recursive && !mount_.read_only) return needs("readonly", "readonly");
      if (bind.read_only_force_recursive && bind.propagation != "rprivate") {
        return needs("readonly", "bind-propagation=rprivate");
      }
    }
    if (mount_.target.empty()) return base::invalid("target is required");
    return std::move(mount_);
  }

 private:
  static base::Error bad_value(std::string_view key, std::string_view value) {
    return base::invalid(fmt::format("invalid value for {}: {}", key, value));
  }
  static base::Error unexpected(std::string_view key, std::string_view text) {
    return base::invalid(fmt::format("unexpected key '{}' in '{}'", key, text));
  }
  static base::Error needs(std::string_view recursive, std::string_view other) {
    return base::invalid(fmt::format(
        "option 'bind-recursive={}' requires '{}' to be specified in conjunction", recursive, other));
  }
  [[nodiscard]] base::Error mixed(std::string_view options) const {
    return base::invalid(fmt::format("cannot mix '{}-*' options with mount type '{}'", options, mount_.type));
  }
  static Result<bool> parse_bool(std::string_view key, std::string_view value) {
    const auto parsed = flags::parse_bool(value);
    if (!parsed) return bad_value(key, value);
    return *parsed;
  }

  Result<> flag(std::string_view key, std::string_view text) {
    if (key == "readonly" || key == "ro") {
      mount_.read_only = true;
    } else if (key == "volume-nocopy") {
      volume().no_copy = true;
    } else if (key == "bind-nonrecursive") {
      bind().non_recursive = true;
    } else {
      return base::invalid(fmt::format("invalid field '{}' must be a key=value pair", text));
    }
    return {};
  }

  Result<> bind_field(std::string_view key, const std::string& value, std::string_view text) {
    if (key == "bind-propagation") {
      bind().propagation = base::to_lower(value);
    } else if (key == "bind-nonrecursive") {
      bind().non_recursive = TRY(parse_bool(key, value));
    } else if (key == "bind-recursive") {
      if (value == "disabled") {
        bind().non_recursive = true;
      } else if (value == "writable") {
        bind().read_only_non_recursive = true;
      } else if (value == "readonly") {
        bind().read_only_force_recursive = true;
      } else if (value != "enabled") {
        return base::invalid(fmt::format(
            "invalid value for {}: {} (must be \"enabled\", \"disabled\", \"writable\", or \"readonly\")",
            key, value));
      }
    } else {
      return unexpected(key, text);
    }
    return {};
  }

  Result<> volume_field(std::string_view key, const std::string& value, std::string_view text) {
    if (key == "volume-subpath") {
      volume().subpath = value;
    } else if (key == "volume-nocopy") {
      volume().no_copy = TRY(parse_bool(key, value));
    } else if (key == "volume-label") {
      set_pair(volume().labels, value);
    } else if (key == "volume-driver") {
      volume().driver_config->name = value;
    } else if (key == "volume-opt") {
      set_pair(volume().driver_config->options, value);
    } else {
      return unexpected(key, text);
    }
    return {};
  }

  spec::api::BindOptions& bind() {
    if (!mount_.bind_options) mount_.bind_options.emplace();
    return *mount_.bind_options;
  }
  spec::api::VolumeOptions& volume() {
    if (!mount_.volume_options) mount_.volume_options.emplace().driver_config.emplace();
    return *mount_.volume_options;
  }
  spec::api::TmpfsOptions& tmpfs() {
    if (!mount_.tmpfs_options) mount_.tmpfs_options.emplace();
    return *mount_.tmpfs_options;
  }
  spec::api::ImageOptions& image() {
    if (!mount_.image_options) mount_.image_options.emplace();
    return *mount_.image_options;
  }

  spec::api::Mount mount_;
};

}  // namespace

Result<> add_mount(std::vector<spec::api::Mount>& mounts, std::string_view text) {
  MountBuilder builder;
  for (const auto& field : TRY(parse_csv(text))) TRY(builder.field(field));
  mounts.push_back(TRY(builder.take()));
  return {};
}

}  // namespace cli
