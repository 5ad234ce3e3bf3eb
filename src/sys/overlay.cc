#include "sys/overlay.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <optional>
#include <thread>

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/strings.h"
#include "sys/file.h"
#include "sys/mount.h"

namespace sys {

using base::Error;
using base::Result;

namespace {

/// fsconfig(2) takes strings shorter than this.
constexpr std::size_t kStringLimit = 256;
/// mount(2) takes one page of options.
constexpr std::size_t kPage = 4096;

/// Long names go in as "/proc/self/fd/<n>", which the kernel resolves at once. So do those with a
/// backslash, an escape for some of overlayfs' parameters and not for others.
struct Folders {
  std::vector<UniqueFd> opened;

  Result<std::string> name_of(const std::string& path) {
    if (path.size() < kStringLimit && path.find('\\') == std::string::npos) return path;
    opened.push_back(TRY(open_at(kCwd, path, O_PATH | O_DIRECTORY)));
    return proc_path(opened.back().get());
  }
};

MountParameter parameter_of(const std::string& option) {
  if (const auto parts = base::cut(option, "=")) {
    return {.key = std::string{parts->first}, .value = std::string{parts->second}};
  }
  return {.key = option, .flag = true};
}

/// The longest folder, with its slash, that all of the overlay's folders are in.
std::string common_folder(const OverlayLayers& overlay) {
  std::string_view common = overlay.lowers.front();
  const auto shorten = [&](std::string_view path) {
    const auto differ = std::ranges::mismatch(common, path);
    common = common.substr(0, static_cast<std::size_t>(differ.in1 - common.begin()));
  };
  for (const auto& lower : overlay.lowers) shorten(lower);
  if (!overlay.upper.empty()) {
    shorten(overlay.upper);
    shorten(overlay.work);
  }
  return std::string{common.substr(0, common.rfind('/') + 1)};
}

/// overlayfs splits layers at ':' and options at ','.
std::string escaped(std::string_view path) {
  std::string out;
  for (const char c : path) {
    if (c == ':' || c == ',' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string one_string(const OverlayLayers& overlay, std::size_t prefix) {
  std::string out = "lowerdir=";
  for (const auto& lower : overlay.lowers) {
    if (out.back() != '=') out += ':';
    out += escaped(std::string_view{lower}.substr(prefix));
  }
  if (!overlay.upper.empty()) {
    out += ",upperdir=" + escaped(std::string_view{overlay.upper}.substr(prefix));
    out += ",workdir=" + escaped(std::string_view{overlay.work}.substr(prefix));
  }
  for (const auto& option : overlay.options) out += "," + option;
  return out;
}

/// Runs in a thread that may lose its mount namespace and working directory. Nothing outside sees
/// the mount; the detached copy outlives the namespace.
Result<UniqueFd> mount_privately(const std::string& folder, const std::string& options) {
  if (::unshare(CLONE_FS | CLONE_NEWNS) < 0) return Error::from_errno(errno, "unshare the mount namespace");
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0) {
    return Error::from_errno(errno, "make mounts private");
  }
  if (::chdir(folder.c_str()) < 0) return Error::from_errno(errno, "chdir " + folder);
  // The working directory stays what it was, although the overlay now covers it.
  if (::mount("overlay", ".", "overlay", 0, options.c_str()) < 0) {
    const int saved = errno;
    if (saved == ENODEV) return base::not_implemented("this kernel has no file system overlay");
    return Error::from_errno(saved, "mount overlay with " + options.substr(0, 200));
  }
  return clone_mount(kCwd, folder, false);
}

}  // namespace

namespace detail {

Result<UniqueFd> make_overlay_by_layer(const OverlayLayers& overlay) {
  Folders folders;
  NewMount mount{.type = "overlay", .source = "overlay"};
  for (const auto& lower : overlay.lowers) {
    std::string name = TRY(folders.name_of(lower));
    mount.parameters.push_back({.key = "lowerdir+", .value = std::move(name)});
  }
  if (!overlay.upper.empty()) {
    std::string upper = TRY(folders.name_of(overlay.upper));
    std::string work = TRY(folders.name_of(overlay.work));
    mount.parameters.push_back({.key = "upperdir", .value = std::move(upper)});
    mount.parameters.push_back({.key = "workdir", .value = std::move(work)});
  }
  for (const auto& option : overlay.options) mount.parameters.push_back(parameter_of(option));
  return make_mount(mount);
}

Result<UniqueFd> make_overlay_in_one_string(const OverlayLayers& overlay) {
  const std::string folder = common_folder(overlay);
  const std::string options = one_string(overlay, folder.size());
  if (options.size() >= kPage) {
    return base::not_implemented(fmt::format(
        "{} layers need {} bytes of mount options, this kernel takes {}: Linux 6.5 or newer is needed",
        overlay.lowers.size(), options.size(), kPage - 1));
  }
  std::optional<Result<UniqueFd>> result;
  std::thread{[&] { result = mount_privately(folder, options); }}.join();
  return std::move(*result);
}

}  // namespace detail

Result<UniqueFd> make_overlay(const OverlayLayers& overlay) {
  CAISSON_INVARIANT(!overlay.lowers.empty() && overlay.upper.empty() == overlay.work.empty());
  static std::atomic<bool> by_layer{true};
  if (by_layer) {
    auto made = detail::make_overlay_by_layer(overlay);
    // "lowerdir+" is an unknown parameter before 6.5: EINVAL, which has other reasons, too.
    if (made || made.error().errno_value() != EINVAL) return made;
    auto other = detail::make_overlay_in_one_string(overlay);
    if (!other) return made;
    by_layer = false;
    return other;
  }
  return detail::make_overlay_in_one_string(overlay);
}

}  // namespace sys
