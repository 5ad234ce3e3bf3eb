#include "sys/overlay.h"

#include <algorithm>
#include <cerrno>

#include <sys/mount.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/scope_guard.h"
#include "base/strings.h"
#include "sys/file.h"
#include "sys/mount.h"

namespace sys {

using base::Error;
using base::Result;

namespace {

/// fsconfig(2) takes strings of up to 255 bytes.
constexpr std::size_t kMaxParameter = 255;

void add_common(NewMount& mount, const OverlayLayers& layers) {
  if (!layers.upper.empty()) {
    mount.parameters.push_back({.key = "upperdir", .value = layers.upper});
    mount.parameters.push_back({.key = "workdir", .value = layers.work});
  }
  for (const auto& option : layers.options) {
    const auto parts = base::cut(option, "=");
    if (parts) {
      mount.parameters.push_back({.key = std::string{parts->first}, .value = std::string{parts->second}});
    } else {
      mount.parameters.push_back({.key = option, .value = "", .flag = true});
    }
  }
}

NewMount with_single_layers(const OverlayLayers& layers) {
  NewMount mount{.type = "overlay", .source = "overlay", .parameters = {}};
  for (const auto& lower : layers.lowers) mount.parameters.push_back({.key = "lowerdir+", .value = lower});
  add_common(mount, layers);
  return mount;
}

NewMount with_joined_layers(const OverlayLayers& layers) {
  NewMount mount{.type = "overlay", .source = "overlay", .parameters = {}};
  mount.parameters.push_back({.key = "lowerdir", .value = base::join(layers.lowers, ":")});
  add_common(mount, layers);
  return mount;
}

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/') + 1); }

/// The longest folder that all paths share, with its slash.
std::string shared_folder(const OverlayLayers& layers) {
  std::string shared = parent_of(layers.lowers.front());
  for (const auto& lower : layers.lowers) {
    const auto end = std::ranges::mismatch(shared, lower).in1;
    shared = parent_of(std::string{shared.begin(), end});
  }
  return shared;
}

/// Relative names keep 500 layers within the page that mount(2) takes.
Result<UniqueFd> by_old_call(const OverlayLayers& layers, const std::string& scratch) {
  if (scratch.empty()) {
    return base::not_implemented(fmt::format(
        "{} layers need Linux 6.5 or newer: this kernel's fsconfig(2) takes no list as long", layers.lowers.size()));
  }
  const std::string shared = shared_folder(layers);
  std::vector<std::string> names;
  for (const auto& lower : layers.lowers) names.push_back(lower.substr(shared.size()));
  std::string data = "lowerdir=" + base::join(names, ":");
  if (!layers.upper.empty()) data += fmt::format(",upperdir={},workdir={}", layers.upper, layers.work);
  for (const auto& option : layers.options) data += "," + option;
  if (data.size() >= static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))) {
    return base::invalid(fmt::format("{} layers are more than one overlay mount of this kernel takes", layers.lowers.size()));
  }
  const UniqueFd before = TRY(open_at(kCwd, ".", O_PATH | O_DIRECTORY));
  if (::chdir(shared.c_str()) < 0) return Error::from_errno(errno, "chdir " + shared);
  const base::ScopeGuard back{[&] {
    [[maybe_unused]] const int ignored = ::fchdir(before.get());
  }};
  if (::mount("overlay", scratch.c_str(), "overlay", 0, data.c_str()) < 0) {
    return Error::from_errno(errno, fmt::format("mount an overlay of {} layers", layers.lowers.size()));
  }
  const base::ScopeGuard detach{[&] { ::umount2(scratch.c_str(), MNT_DETACH); }};
  return clone_mount(kCwd, scratch, false);
}

}  // namespace

Result<UniqueFd> make_overlay(const OverlayLayers& layers, const std::string& scratch) {
  auto mount = make_mount(with_single_layers(layers));
  // An older kernel does not know the key.
  if (mount || mount.error().errno_value() != EINVAL) return mount;
  std::size_t length = layers.lowers.size();
  for (const auto& lower : layers.lowers) length += lower.size();
  if (length <= kMaxParameter) {
    auto joined = make_mount(with_joined_layers(layers));
    // The first reason is the better one where both fail.
    return joined ? std::move(joined) : std::move(mount);
  }
  return by_old_call(layers, scratch);
}

}  // namespace sys
