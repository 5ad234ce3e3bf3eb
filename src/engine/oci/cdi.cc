#include "engine/oci/cdi.h"

#include <algorithm>

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <fmt/format.h>

#include "base/log.h"
#include "base/strings.h"
#include "codec/yaml.h"
#include "engine/config_merge.h"
#include "sys/file.h"

namespace engine::oci {
namespace {

using codec::Json;

constexpr std::string_view kIntent = "CDI device injection failed: ";
constexpr std::string_view kNvidiaGpu = "nvidia.com/gpu";

bool is_word(std::string_view text, std::string_view also) {
  const auto letter_or_digit = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  return !text.empty() && letter_or_digit(text.front()) && letter_or_digit(text.back()) &&
         std::ranges::all_of(text, [&](char c) { return letter_or_digit(c) || also.find(c) != std::string_view::npos; });
}

bool starts_with_letter(std::string_view text) {
  return !text.empty() && ((text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z'));
}

base::Result<> check_kind(std::string_view kind) {
  const auto parts = base::cut(kind, "/");
  if (!parts) return base::invalid(fmt::format("invalid kind {}: vendor/class is expected", base::quoted(kind)));
  if (!starts_with_letter(parts->first) || !is_word(parts->first, "_-.")) {
    return base::invalid("invalid vendor " + base::quoted(parts->first));
  }
  if (!starts_with_letter(parts->second) || !is_word(parts->second, "_-")) {
    return base::invalid("invalid class " + base::quoted(parts->second));
  }
  return {};
}

std::vector<std::string> strings(const Json& list) {
  std::vector<std::string> out;
  for (const Json& item : list.as_array()) out.push_back(item.as_string());
  return out;
}

base::Result<> add_node(const Json& node, spec::oci::Spec& spec) {
  spec::oci::Device device{.type = node["type"].as_string(), .path = node["path"].as_string(),
                           .major = node["major"].as_int(), .minor = node["minor"].as_int()};
  if (device.path.empty()) return base::invalid("a device node without a path");
  const std::string host = node["hostPath"].as_string().empty() ? device.path : node["hostPath"].as_string();
  if (device.type.empty() || (device.major == 0 && device.type != "p")) {
    const auto info = sys::stat_at(sys::kCwd, host);
    if (!info) return base::Error{info.error()}.context("device node " + host);
    if (!S_ISCHR(info->st_mode) && !S_ISBLK(info->st_mode)) return base::invalid(host + " is not a device node");
    device.type = S_ISCHR(info->st_mode) ? "c" : "b";
    device.major = static_cast<std::int64_t>(major(info->st_rdev));
    device.minor = static_cast<std::int64_t>(minor(info->st_rdev));
    device.file_mode = info->st_mode & 0777;
  }
  const auto number = [&](const char* name, std::optional<std::uint32_t>& field) {
    if (node[name].is_number()) field = static_cast<std::uint32_t>(node[name].as_uint());
  };
  number("fileMode", device.file_mode);
  number("uid", device.uid);
  number("gid", device.gid);
  const std::string access = node["permissions"].as_string().empty() ? "rwm" : node["permissions"].as_string();
  auto& section = *spec.linux_section;
  std::erase_if(section.devices, [&](const spec::oci::Device& there) { return there.path == device.path; });
  section.resources->devices.push_back(
      {.allow = true, .type = device.type, .major = device.major, .minor = device.minor, .access = access});
  section.devices.push_back(std::move(device));
  return {};
}

base::Result<> add_mount(const Json& mount, spec::oci::Spec& spec) {
  spec::oci::Mount added{.destination = mount["containerPath"].as_string(), .type = mount["type"].as_string(),
                         .source = mount["hostPath"].as_string(), .options = strings(mount["options"])};
  if (!added.destination.starts_with('/') || added.source.empty()) {
    return base::invalid("a mount needs a hostPath and an absolute containerPath");
  }
  if (added.type.empty()) added.type = "bind";
  if (added.options.empty()) added.options = {"ro", "nosuid", "nodev", "rbind", "rprivate"};
  std::erase_if(spec.mounts, [&](const spec::oci::Mount& there) { return there.destination == added.destination; });
  spec.mounts.push_back(std::move(added));
  return {};
}

base::Result<> add_hook(const Json& hook, spec::oci::Spec& spec) {
  auto added = TRY(codec::from_json<spec::oci::Hook>(hook));
  if (!spec.hooks) spec.hooks.emplace();
  const std::string& name = hook["hookName"].as_string();
  auto& hooks = *spec.hooks;
  const std::pair<std::string_view, std::vector<spec::oci::Hook>*> lists[] = {
      {"prestart", &hooks.prestart},        {"createRuntime", &hooks.create_runtime},
      {"createContainer", &hooks.create_container}, {"startContainer", &hooks.start_container},
      {"poststart", &hooks.poststart},      {"poststop", &hooks.poststop}};
  for (const auto& [known, list] : lists) {
    if (known != name) continue;
    list->push_back(std::move(added));
    return {};
  }
  return base::invalid("unknown hook name " + base::quoted(name));
}

base::Result<> apply(const Json& edits, spec::oci::Spec& spec) {
  apply_env(spec.process->env, strings(edits["env"]));
  for (const Json& node : edits["deviceNodes"].as_array()) TRY(add_node(node, spec));
  for (const Json& mount : edits["mounts"].as_array()) TRY(add_mount(mount, spec));
  for (const Json& hook : edits["hooks"].as_array()) TRY(add_hook(hook, spec));
  auto& groups = spec.process->user.additional_gids;
  for (const Json& gid : edits["additionalGids"].as_array()) {
    const auto id = static_cast<std::uint32_t>(gid.as_uint());
    if (id != 0 && std::ranges::find(groups, id) == groups.end()) groups.push_back(id);
  }
  return {};
}

base::Error not_selectable(const spec::api::DeviceRequest& request) {
  std::string capabilities;
  for (const auto& set : request.capabilities.value_or(std::vector<spec::api::StringList>{})) {
    capabilities += (capabilities.empty() ? "[" : " [") + base::join(set, " ") + "]";
  }
  return base::invalid("could not select device driver " + base::quoted(request.driver) + " with capabilities: [" +
                       capabilities + "]");
}

bool asks_for_gpu(const spec::api::DeviceRequest& request) {
  const auto sets = request.capabilities.value_or(std::vector<spec::api::StringList>{});
  return std::ranges::any_of(sets, [](const spec::api::StringList& set) {
    return std::ranges::find(set, "gpu") != set.end();
  });
}

base::Result<std::vector<std::string>> gpus(const spec::api::DeviceRequest& request, const CdiDevices& devices) {
  const auto named = [](std::string_view id) { return fmt::format("{}={}", kNvidiaGpu, id); };
  const auto names = devices.names();
  const bool there = std::ranges::any_of(names, [](const std::string& name) {
    return name.starts_with(kNvidiaGpu) && name[kNvidiaGpu.size()] == '=';
  });
  if (!there) return not_selectable(request);
  const auto ids = request.device_ids.value_or(spec::api::StringList{});
  if (request.count != 0 && !ids.empty()) return base::invalid("cannot set both Count and DeviceIDs on device request");
  std::vector<std::string> chosen;
  for (const std::string& id : ids) chosen.push_back(named(id));
  if (request.count < 0) chosen.push_back(named("all"));
  for (std::int64_t i = 0; i < request.count; ++i) chosen.push_back(named(std::to_string(i)));
  return chosen;
}

}  // namespace

base::Result<> check_cdi_name(const std::string& name) {
  const auto parts = base::cut(name, "=");
  if (!parts || parts->first.find('/') == std::string_view::npos) {
    return base::invalid("unqualified device " + base::quoted(name) + ", missing vendor");
  }
  TRY(check_kind(parts->first));
  if (!is_word(parts->second, "_-.:")) return base::invalid("invalid device " + base::quoted(name) + ": bad name");
  return {};
}

CdiDevices CdiDevices::load(const std::vector<std::string>& directories) {
  CdiDevices devices;
  for (std::size_t i = 0; i < directories.size(); ++i) {
    const auto entries = sys::list_dir(sys::kCwd, directories[i]);
    if (!entries) continue;  // as a rule there is none
    std::vector<std::string> names;
    for (const sys::DirEntry& entry : *entries) names.push_back(entry.name);
    std::ranges::sort(names);
    for (const std::string& name : names) {
      if (name.ends_with(".json") || name.ends_with(".yaml") || name.ends_with(".yml")) {
        devices.add_file(directories[i] + "/" + name, i);
      }
    }
  }
  return devices;
}

void CdiDevices::add_file(const std::string& path, std::size_t directory) {
  const auto added = [&]() -> base::Result<> {
    const std::string text = TRY(sys::read_file(sys::kCwd, path));
    return add_spec(path.ends_with(".json") ? TRY(Json::parse(text)) : TRY(codec::parse_yaml(text)), path, directory);
  }();
  if (!added) base::log::warn("CDI specification {} is left out: {}", path, added.error().message());
}

base::Result<> CdiDevices::add_spec(const Json& document, const std::string& path, std::size_t directory) {
  if (document["cdiVersion"].as_string().empty()) return base::invalid("it has no cdiVersion");
  const std::string& kind = document["kind"].as_string();
  TRY(check_kind(kind));
  for (const Json& device : document["devices"].as_array()) {
    const std::string name = kind + "=" + device["name"].as_string();
    TRY(check_cdi_name(name));
    Device added{.edits = device["containerEdits"], .common_edits = document["containerEdits"], .file = path,
                 .directory = directory};
    const auto there = devices_.find(name);
    if (there != devices_.end() && there->second.directory == directory) {
      base::log::warn("CDI device {} stands in {} and in {}: neither is used", name, there->second.file, path);
      there->second.ambiguous = true;
      continue;
    }
    devices_.insert_or_assign(name, std::move(added));
  }
  return {};
}

std::vector<std::string> CdiDevices::names() const {
  std::vector<std::string> names;
  for (const auto& [name, device] : devices_) names.push_back(name);
  return names;
}

base::Result<> CdiDevices::inject(const std::vector<std::string>& names, spec::oci::Spec& spec) const {
  std::string missing;
  for (const std::string& name : names) {
    const auto found = devices_.find(name);
    if (found != devices_.end() && !found->second.ambiguous) continue;
    missing += (missing.empty() ? "" : ", ") + name;
  }
  if (!missing.empty()) return base::invalid(std::string{kIntent} + "unresolvable CDI devices " + missing);
  std::vector<std::string> files;
  for (const std::string& name : names) {
    const Device& device = devices_.at(name);
    const auto edited = [&]() -> base::Result<> {
      // Once per file, before the first of its devices.
      if (std::ranges::find(files, device.file) == files.end()) {
        files.push_back(device.file);
        TRY(apply(device.common_edits, spec));
      }
      return apply(device.edits, spec);
    }();
    if (!edited) return base::invalid(std::string{kIntent} + name + " of " + device.file + ": " + edited.error().message());
  }
  return {};
}

base::Result<std::vector<std::string>> requested_devices(const std::vector<spec::api::DeviceRequest>& requests,
                                                         const CdiDevices& devices) {
  std::vector<std::string> names;
  for (const spec::api::DeviceRequest& request : requests) {
    std::vector<std::string> more;
    if (request.driver == "cdi") {
      if (request.count != 0) return base::invalid("unexpected count in CDI device request");
      if (request.options && !request.options->empty()) return base::invalid("unexpected options in CDI device request");
      more = request.device_ids.value_or(spec::api::StringList{});
      for (const std::string& name : more) TRY(check_cdi_name(name));
    } else if ((request.driver.empty() || request.driver == "nvidia") && asks_for_gpu(request)) {
      more = TRY(gpus(request, devices));
    } else {
      return not_selectable(request);
    }
    for (std::string& name : more) {
      if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
    }
  }
  return names;
}

}  // namespace engine::oci
