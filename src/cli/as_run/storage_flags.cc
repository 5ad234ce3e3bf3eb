/// Volumes and mounts.
#include <fmt/format.h>

#include "cli/as_run/flag_words.h"

namespace cli {

using spec::api::Mount;
using spec::api::StringList;

namespace {

/// The CSV of --mount.
class MountValue {
 public:
  void add(std::string_view name, const std::string& value) {
    if (value.empty()) return;
    std::string text = fmt::format("{}={}", name, value);
    if (text.find_first_of(",\"\n") != std::string::npos) {
      std::string quoted = "\"";
      for (const char c : text) {
        if (c == '"') quoted += '"';
        quoted += c;
      }
      text = quoted + '"';
    }
    if (!text_.empty()) text_ += ',';
    text_ += text;
  }
  void flag(std::string_view name, bool on) {
    if (on) text_.append(",").append(name);
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

std::string mount_value(const Mount& mount) {
  MountValue out;
  out.add("type", mount.type);
  out.add("source", mount.source);
  out.add("target", mount.target);
  out.flag("readonly", mount.read_only);
  out.add("consistency", mount.consistency);
  if (const auto& bind = mount.bind_options) {
    out.add("bind-propagation", bind->propagation);
    if (bind->non_recursive) out.add("bind-recursive", "disabled");
    if (bind->read_only_non_recursive) out.add("bind-recursive", "writable");
    if (bind->read_only_force_recursive) out.add("bind-recursive", "readonly");
  }
  if (const auto& volume = mount.volume_options) {
    out.flag("volume-nocopy", volume->no_copy);
    for (const auto& [name, value] : volume->labels) out.add("volume-label", name + "=" + value);
    out.add("volume-subpath", volume->subpath);
    if (volume->driver_config) {
      out.add("volume-driver", volume->driver_config->name);
      for (const auto& [name, value] : volume->driver_config->options) out.add("volume-opt", name + "=" + value);
    }
  }
  if (mount.image_options) out.add("image-subpath", mount.image_options->subpath);
  if (const auto& tmpfs = mount.tmpfs_options) {
    if (tmpfs->size_bytes != 0) out.add("tmpfs-size", fmt::to_string(tmpfs->size_bytes));
    if (tmpfs->mode != 0) out.add("tmpfs-mode", fmt::format("{:o}", tmpfs->mode));
  }
  return out.take();
}

}  // namespace

void add_storage_flags(FlagWords& words, const spec::api::ContainerInspect& container,
                       const spec::api::ContainerConfig& image) {
  const auto& host = container.host_config;
  words.list("volume", host.binds);
  for (const auto& [path, nothing] : container.config.volumes.value_or(spec::api::NameSet{})) {
    const bool of_image = image.volumes && image.volumes->contains(path);
    if (!of_image) words.add("volume", path);
  }
  for (const auto& mount : host.mounts.value_or(std::vector<Mount>{})) words.add("mount", mount_value(mount));
  for (const auto& [path, options] : host.tmpfs.value_or(spec::api::Labels{})) {
    words.add("tmpfs", options.empty() ? path : path + ":" + options);
  }
  words.list("volumes-from", host.volumes_from);
  words.text("volume-driver", host.volume_driver);
}

}  // namespace cli
