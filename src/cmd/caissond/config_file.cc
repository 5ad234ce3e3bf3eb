#include "cmd/caissond/config_file.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/strings.h"
#include "sys/file.h"

namespace caissond {
namespace {

using base::Result;
using codec::Json;

constexpr std::size_t kMaxFile = 1U << 20U;
constexpr bool kLive = true;  ///< SIGHUP may change it

constexpr std::array kKeys{
    Key{"allow-direct-routing", Shape::Bool},
    Key{"allow-nondistributable-artifacts", Shape::Nothing},
    Key{"authorization-plugins", Shape::Texts, "authorization-plugin", kLive},
    Key{"bip", Shape::Text},
    Key{"bip6", Shape::Text},
    Key{"bridge", Shape::Text},
    Key{"bridge-accept-fwmark", Shape::Text},
    Key{"builder", Shape::Map},
    Key{"cdi-spec-dirs", Shape::Texts, "cdi-spec-dir"},
    Key{"cgroup-parent", Shape::Text},
    Key{"containerd", Shape::Text},
    Key{"containerd-namespace", Shape::Text},
    Key{"containerd-plugin-namespace", Shape::Text, "containerd-plugins-namespace"},
    Key{"cpu-rt-period", Shape::Number},
    Key{"cpu-rt-runtime", Shape::Number},
    Key{"cri-containerd", Shape::Bool},
    Key{"data-root", Shape::Text},
    Key{"debug", Shape::Bool, {}, kLive},
    Key{"default-address-pools", Shape::Pools, "default-address-pool"},
    Key{"default-cgroupns-mode", Shape::Text, {}, kLive},
    Key{"default-gateway", Shape::Text},
    Key{"default-gateway-v6", Shape::Text},
    Key{"default-init", Shape::Text},
    Key{"default-ipc-mode", Shape::Text, {}, kLive},
    Key{"default-network-opts", Shape::Map, "default-network-opt"},
    Key{"default-runtime", Shape::Text, {}, kLive},
    Key{"default-shm-size", Shape::Size, {}, kLive},
    Key{"default-stop-timeout", Shape::Number, {}, kLive},
    Key{"default-ulimits", Shape::Ulimits, "default-ulimit"},
    Key{"deprecated-key-path", Shape::Nothing},
    Key{"dns", Shape::Texts},
    Key{"dns-opts", Shape::Texts, "dns-opt"},
    Key{"dns-search", Shape::Texts},
    Key{"exec-opts", Shape::Texts, "exec-opt"},
    Key{"exec-root", Shape::Text},
    Key{"experimental", Shape::Bool},
    Key{"features", Shape::Map, "feature", kLive},
    Key{"firewall-backend", Shape::Text},
    Key{"fixed-cidr", Shape::Text},
    Key{"fixed-cidr-v6", Shape::Text},
    Key{"group", Shape::Text},
    Key{"host-gateway-ip", Shape::Text},
    Key{"host-gateway-ips", Shape::Texts, "host-gateway-ip"},
    Key{"hosts", Shape::Texts, "host"},
    Key{"http-proxy", Shape::Text},
    Key{"https-proxy", Shape::Text},
    Key{"icc", Shape::Bool},
    Key{"image-budget", Shape::Size},
    Key{"init", Shape::Bool},
    Key{"init-path", Shape::Text},
    Key{"insecure-registries", Shape::Texts, "insecure-registry", kLive},
    Key{"ip", Shape::Text},
    Key{"ip-forward", Shape::Bool},
    Key{"ip-forward-no-drop", Shape::Bool},
    Key{"ip-masq", Shape::Bool},
    Key{"ip6tables", Shape::Bool},
    Key{"iptables", Shape::Bool},
    Key{"ipv6", Shape::Bool},
    Key{"labels", Shape::Texts, "label", kLive},
    Key{"layer-blobs", Shape::Text},
    Key{"live-restore", Shape::Bool, {}, kLive},
    Key{"log-driver", Shape::Text},
    Key{"log-format", Shape::Text},
    Key{"log-level", Shape::Text, {}, kLive},
    Key{"log-opts", Shape::Map, "log-opt"},
    Key{"max-concurrent-downloads", Shape::Number, {}, kLive},
    Key{"max-concurrent-uploads", Shape::Number, {}, kLive},
    Key{"max-download-attempts", Shape::Number, {}, kLive},
    Key{"metrics-addr", Shape::Text},
    Key{"min-api-version", Shape::Text},
    Key{"mtu", Shape::Number},
    Key{"network-control-plane-mtu", Shape::Number},
    Key{"network-diagnostic-port", Shape::Number},
    Key{"no-new-privileges", Shape::Bool},
    Key{"no-proxy", Shape::Text},
    Key{"node-generic-resources", Shape::Texts, "node-generic-resource"},
    Key{"nri-opts", Shape::Map},
    Key{"pidfile", Shape::Text},
    Key{"proxies", Shape::Group},
    Key{"raw-logs", Shape::Bool},
    Key{"registry-mirrors", Shape::Texts, "registry-mirror", kLive},
    Key{"resolv-conf", Shape::Text},
    Key{"rootless", Shape::Bool},
    Key{"runtimes", Shape::Runtimes, "add-runtime", kLive},
    Key{"seccomp-profile", Shape::Text},
    Key{"selinux-enabled", Shape::Bool},
    Key{"shutdown-timeout", Shape::Number, {}, kLive},
    Key{"storage-driver", Shape::Text},
    Key{"storage-opts", Shape::Texts, "storage-opt"},
    Key{"swarm-default-advertise-addr", Shape::Text},
    Key{"swarm-raft-election-tick", Shape::Number},
    Key{"swarm-raft-heartbeat-tick", Shape::Number},
    Key{"tls", Shape::Bool},
    Key{"tlscacert", Shape::Text},
    Key{"tlscert", Shape::Text},
    Key{"tlskey", Shape::Text},
    Key{"tlsverify", Shape::Bool},
    Key{"userland-proxy", Shape::Bool},
    Key{"userland-proxy-path", Shape::Text},
    Key{"userns-remap", Shape::Text},
};

const Key* find_key(std::string_view name) {
  const auto* const key = std::ranges::find(kKeys, name, &Key::name);
  return key == kKeys.end() ? nullptr : key;
}

bool fits(const Json& value, Shape shape) {
  switch (shape) {
    case Shape::Bool: return value.is_bool();
    case Shape::Number: return value.is_integer();
    case Shape::Text: return value.is_string();
    case Shape::Size: return value.is_string() || value.is_integer();
    case Shape::Texts: return value.is_array() && std::ranges::all_of(value.as_array(), &Json::is_string);
    case Shape::Pools: return value.is_array() && std::ranges::all_of(value.as_array(), &Json::is_object);
    case Shape::Ulimits:
    case Shape::Runtimes:
      return value.is_object() &&
             std::ranges::all_of(value.as_object(), [](const Json::Member& member) { return member.second.is_object(); });
    case Shape::Map:
    case Shape::Group: return value.is_object();
    case Shape::Nothing: return true;
  }
  return false;
}

std::string_view wanted(Shape shape) {
  switch (shape) {
    case Shape::Bool: return "true or false";
    case Shape::Number: return "a number";
    case Shape::Text: return "a string";
    case Shape::Size: return "a number of bytes or a string like \"64m\"";
    case Shape::Texts: return "a list of strings";
    case Shape::Pools: return "a list of objects with \"base\" and \"size\"";
    case Shape::Ulimits: return "an object of objects with \"Soft\" and \"Hard\"";
    case Shape::Runtimes: return "an object of objects with \"path\"";
    default: return "an object";
  }
}

std::string scalar(const Json& item) { return item.is_string() ? item.as_string() : item.dump(); }

/// As Go prints a value with %v, which the text about conflicts is made of.
std::string go_text(const Json& value) {
  std::vector<std::string> parts;
  if (value.is_array()) {
    for (const auto& item : value.as_array()) parts.push_back(go_text(item));
    return "[" + base::join(parts, " ") + "]";
  }
  if (value.is_object()) {
    for (const auto& [name, item] : value.as_object()) parts.push_back(name + ":" + go_text(item));
    return "map[" + base::join(parts, " ") + "]";
  }
  return scalar(value);
}

/// NAME=PATH, as --add-runtime has it; each argument is a line more.
Result<std::string> runtime_text(const std::string& name, const Json& value) {
  const Json* path = value.find("path");
  const Json* type = value.find("runtimeType");
  if (type != nullptr && !type->as_string().empty()) {
    return base::invalid(fmt::format("runtime {}: runtimeType is containerd's: this engine starts a program by its \"path\"",
                                     base::quoted(name)));
  }
  if (path == nullptr || path->as_string().empty()) {
    return base::invalid(fmt::format("runtime {}: either a runtimeType or a path must be configured", base::quoted(name)));
  }
  std::string text = name + "=" + path->as_string();
  if (const Json* arguments = value.find("runtimeArgs")) {
    if (!fits(*arguments, Shape::Texts)) {
      return base::invalid(fmt::format("runtime {}: runtimeArgs: want a list of strings", base::quoted(name)));
    }
    for (const auto& argument : arguments->as_array()) text += "\n" + argument.as_string();
  }
  return text;
}

/// A value as the texts that its flag takes, one per occurrence.
Result<std::vector<std::string>> texts_of(const Key& key, const Json& value) {
  std::vector<std::string> texts;
  switch (key.shape) {
    case Shape::Texts:
      for (const auto& item : value.as_array()) texts.push_back(item.as_string());
      break;
    case Shape::Pools:
      for (const auto& pool : value.as_array()) {
        std::vector<std::string> fields;
        for (const auto& [name, field] : pool.as_object()) fields.push_back(name + "=" + scalar(field));
        texts.push_back(base::join(fields, ","));
      }
      break;
    case Shape::Ulimits:
      for (const auto& [name, limit] : value.as_object()) {
        const Json* soft = limit.find("Soft");
        const Json* hard = limit.find("Hard");
        if (soft == nullptr) soft = hard;
        if (hard == nullptr) hard = soft;
        if (soft == nullptr || !soft->is_integer() || !hard->is_integer()) {
          return base::invalid(fmt::format("{}: {}: want numbers for \"Soft\" and \"Hard\"", key.name, name));
        }
        texts.push_back(fmt::format("{}={}:{}", name, soft->as_int(), hard->as_int()));
      }
      break;
    case Shape::Runtimes:
      for (const auto& [name, runtime] : value.as_object()) texts.push_back(TRY(runtime_text(name, runtime)));
      break;
    case Shape::Map:
      for (const auto& [name, item] : value.as_object()) texts.push_back(name + "=" + scalar(item));
      break;
    case Shape::Group:
    case Shape::Nothing: break;
    default: texts.push_back(scalar(value));
  }
  return texts;
}

/// What is said about the whole file at once.
struct Findings {
  std::vector<std::string> unknown, twice;
  std::vector<std::pair<std::string_view, std::vector<std::string>>> settings;
};

Result<> look_at(const Json::Member& member, const flags::FlagSet& given, const flags::FlagSet& current, Findings& findings) {
  const auto& [name, value] = member;
  const Key* key = find_key(name);
  if (key == nullptr) {
    findings.unknown.push_back(name);
    return {};
  }
  if (value.is_null()) return {};
  if (!fits(value, key->shape)) {
    return base::invalid(fmt::format("{}: want {}, got {}", name, wanted(key->shape), value.type_name()));
  }
  if (key->shape == Shape::Group) {
    for (const auto& inner : value.as_object()) TRY(look_at(inner, given, current, findings));
    return {};
  }
  if (key->shape == Shape::Nothing) return {};
  const auto flag = key->flag_name();
  // Runtimes of both add up, as dockerd has it.
  if (given.changed(flag) && key->shape != Shape::Runtimes) {
    findings.twice.push_back(
        fmt::format("{}: (from flag: {}, from file: {})", name, current.find(flag)->value.initial, go_text(value)));
  }
  findings.settings.emplace_back(flag, TRY(texts_of(*key, value)));
  return {};
}

Result<> apply_text(const flags::FlagSet& given, flags::FlagSet& target, const std::string& contents) {
  if (base::trim(contents).empty()) return {};
  const Json json = TRY(Json::parse(contents).context("invalid JSON"));
  if (!json.is_object()) return base::invalid("invalid JSON: want an object");
  Findings findings;
  for (const auto& member : json.as_object()) TRY(look_at(member, given, target, findings));
  if (!findings.unknown.empty()) {
    return base::invalid("the following directives don't match any configuration option: " +
                         base::join(findings.unknown, ", "));
  }
  if (!findings.twice.empty()) {
    return base::invalid("the following directives are specified both as a flag and in the configuration file: " +
                         base::join(findings.twice, ", "));
  }
  for (const auto& [flag, values] : findings.settings) {
    for (const auto& value : values) TRY(target.set(flag, value));
  }
  return {};
}

}  // namespace

std::span<const Key> daemon_json_keys() { return kKeys; }

Result<> apply_file(const flags::FlagSet& given, flags::FlagSet& target, const std::string& path) {
  const auto text = sys::read_file(sys::kCwd, path, kMaxFile);
  if (text.failed_as(base::ErrorKind::NotFound)) return {};
  const std::string where = "unable to configure the Docker daemon with file " + path;
  return apply_text(given, target, TRY(Result<std::string>{text}.context(where))).context(where);
}

}  // namespace caissond
