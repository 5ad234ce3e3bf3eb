#include "api/answer_fields.h"

#include <algorithm>
#include <array>

#include "base/strings.h"

namespace api {
namespace {

using codec::Json;

constexpr unsigned kOldest = 0, kNewest = 999;

/// A field, and the first and last minor version that has it. "a.b": a member of a member; "a[].b": of each item of a
/// list; "a{}.b": of each value of a map. Source: the swagger of each version (tests/api/fields.tsv).
struct Span {
  Shape shape;
  std::string_view path;
  unsigned first, last;
};

constexpr std::array kSpans{
    Span{Shape::ContainerSummary, "Health", 52, kNewest},
    Span{Shape::ContainerSummary, "HostConfig.Annotations", 46, kNewest},
    Span{Shape::ContainerSummary, "ImageManifestDescriptor", 48, kNewest},
    Span{Shape::ContainerSummary, "NetworkSettings.Networks{}.DNSNames", 44, kNewest},
    Span{Shape::ContainerSummary, "NetworkSettings.Networks{}.GwPriority", 48, kNewest},

    Span{Shape::Container, "Config.Healthcheck.StartInterval", 44, kNewest},
    Span{Shape::Container, "Config.MacAddress", kOldest, 51},
    Span{Shape::Container, "HostConfig.Annotations", 43, kNewest},
    Span{Shape::Container, "HostConfig.CgroupnsMode", 41, kNewest},
    Span{Shape::Container, "HostConfig.KernelMemory", kOldest, 41},
    Span{Shape::Container, "HostConfig.KernelMemoryTCP", kOldest, 51},
    Span{Shape::Container, "HostConfig.Mounts[].BindOptions.CreateMountpoint", 42, kNewest},
    Span{Shape::Container, "HostConfig.Mounts[].BindOptions.ReadOnlyForceRecursive", 44, kNewest},
    Span{Shape::Container, "HostConfig.Mounts[].BindOptions.ReadOnlyNonRecursive", 44, kNewest},
    Span{Shape::Container, "HostConfig.Mounts[].ImageOptions", 48, kNewest},
    Span{Shape::Container, "HostConfig.Mounts[].TmpfsOptions.Options", 46, kNewest},
    Span{Shape::Container, "HostConfig.Mounts[].VolumeOptions.Subpath", 45, kNewest},
    Span{Shape::Container, "ImageManifestDescriptor", 48, kNewest},
    Span{Shape::Container, "NetworkSettings.Bridge", kOldest, 51},
    Span{Shape::Container, "NetworkSettings.EndpointID", kOldest, 51},
    Span{Shape::Container, "NetworkSettings.Gateway", kOldest, 51},
    Span{Shape::Container, "NetworkSettings.GlobalIPv6Address", kOldest, 51},
    Span{Shape::Container, "NetworkSettings.GlobalIPv6PrefixLen", kOldest, 51},
    Span{Shape::Container, "NetworkSettings.HairpinMode", kOldest, 51},
    Span{Shape::Container, "NetworkSettings.IPAddress", kOldest, 51},
    Span{Shape::Container, "NetworkSettings.IPPrefixLen", kOldest, 51},
    Span{Shape::Container, "NetworkSettings.IPv6Gateway", kOldest, 51},
    Span{Shape::Container, "NetworkSettings.LinkLocalIPv6Address", kOldest, 51},
    Span{Shape::Container, "NetworkSettings.LinkLocalIPv6PrefixLen", kOldest, 51},
    Span{Shape::Container, "NetworkSettings.MacAddress", kOldest, 51},
    Span{Shape::Container, "NetworkSettings.Networks{}.DNSNames", 44, kNewest},
    Span{Shape::Container, "NetworkSettings.Networks{}.GwPriority", 48, kNewest},
    Span{Shape::Container, "NetworkSettings.SecondaryIPAddresses", kOldest, 51},
    Span{Shape::Container, "NetworkSettings.SecondaryIPv6Addresses", kOldest, 51},
    Span{Shape::Container, "Storage", 52, kNewest},

    Span{Shape::Event, "from", kOldest, 51},
    Span{Shape::Event, "id", kOldest, 51},
    Span{Shape::Event, "status", kOldest, 51},

    Span{Shape::ImageSummary, "Descriptor", 48, kNewest},
    Span{Shape::ImageSummary, "Manifests", 47, kNewest},
    Span{Shape::ImageSummary, "VirtualSize", kOldest, 43},

    Span{Shape::Image, "Config.AttachStderr", kOldest, 49},
    Span{Shape::Image, "Config.AttachStdin", kOldest, 49},
    Span{Shape::Image, "Config.AttachStdout", kOldest, 49},
    Span{Shape::Image, "Config.Domainname", kOldest, 49},
    Span{Shape::Image, "Config.Healthcheck.StartInterval", 44, kNewest},
    Span{Shape::Image, "Config.Hostname", kOldest, 49},
    Span{Shape::Image, "Config.Image", kOldest, 49},
    Span{Shape::Image, "Config.MacAddress", kOldest, 49},
    Span{Shape::Image, "Config.NetworkDisabled", kOldest, 49},
    Span{Shape::Image, "Config.OpenStdin", kOldest, 49},
    Span{Shape::Image, "Config.StdinOnce", kOldest, 49},
    Span{Shape::Image, "Config.StopTimeout", kOldest, 49},
    Span{Shape::Image, "Config.Tty", kOldest, 49},
    Span{Shape::Image, "Container", kOldest, 44},
    Span{Shape::Image, "ContainerConfig", kOldest, 44},
    Span{Shape::Image, "Descriptor", 48, kNewest},
    Span{Shape::Image, "DockerVersion", kOldest, 51},
    Span{Shape::Image, "Identity", 53, kNewest},
    Span{Shape::Image, "Manifests", 48, kNewest},
    Span{Shape::Image, "Parent", kOldest, 51},
    Span{Shape::Image, "VirtualSize", kOldest, 43},

    Span{Shape::Info, "BridgeNfIp6tables", kOldest, 49},
    Span{Shape::Info, "BridgeNfIptables", kOldest, 49},
    Span{Shape::Info, "CDISpecDirs", 44, kNewest},
    Span{Shape::Info, "CgroupVersion", 41, kNewest},
    Span{Shape::Info, "Containerd", 46, kNewest},
    Span{Shape::Info, "ContainerdCommit.Expected", kOldest, 48},
    Span{Shape::Info, "DefaultAddressPools", 41, kNewest},
    Span{Shape::Info, "DiscoveredDevices", 50, kNewest},
    Span{Shape::Info, "FirewallBackend", 49, kNewest},
    Span{Shape::Info, "InitCommit.Expected", kOldest, 48},
    Span{Shape::Info, "KernelMemory", kOldest, 41},
    Span{Shape::Info, "KernelMemoryTCP", kOldest, 51},
    Span{Shape::Info, "NRI", 53, kNewest},
    Span{Shape::Info, "OSVersion", 41, kNewest},
    Span{Shape::Info, "RegistryConfig.AllowNondistributableArtifactsCIDRs", kOldest, 48},
    Span{Shape::Info, "RegistryConfig.AllowNondistributableArtifactsHostnames", kOldest, 48},
    Span{Shape::Info, "RuncCommit.Expected", kOldest, 48},
    Span{Shape::Info, "Runtimes{}.status", 44, kNewest},

    Span{Shape::Network, "ConfigFrom", 41, kNewest},
    Span{Shape::Network, "ConfigOnly", 41, kNewest},
    Span{Shape::Network, "EnableIPv4", 47, kNewest},
    Span{Shape::Network, "Status", 52, kNewest},
};

void erase(Json& value, std::string_view path);

void erase_below(Json& value, std::string_view path) {
  if (!path.empty() && path.front() == '.') path.remove_prefix(1);
  erase(value, path);
}

void erase(Json& value, std::string_view path) {
  const auto end = std::min(path.find_first_of(".[{"), path.size());
  const std::string_view name = path.substr(0, end);
  const std::string_view rest = path.substr(end);
  if (!value.is_object()) return;
  auto& members = value.members();
  const auto member = std::ranges::find(members, name, &Json::Member::first);
  if (member == members.end()) return;
  if (rest.empty()) {
    members.erase(member);
  } else if (rest.starts_with("[]")) {
    if (!member->second.is_array()) return;
    for (auto& item : member->second.items()) erase_below(item, rest.substr(2));
  } else if (rest.starts_with("{}")) {
    if (!member->second.is_object()) return;
    for (auto& [key, item] : member->second.members()) erase_below(item, rest.substr(2));
  } else {
    erase_below(member->second, rest);
  }
}

}  // namespace

void adapt(Json& object, Shape shape, Version version) {
  for (const Span& span : kSpans) {
    if (span.shape == shape && (version.minor < span.first || version.minor > span.last)) erase(object, span.path);
  }
}

void adapt_all(Json& list, Shape shape, Version version) {
  if (!list.is_array()) return;
  for (auto& item : list.items()) adapt(item, shape, version);
}

void adapt_stats(Json& sample, Version version) {
  if (version >= Version{1, 52}) sample.set("os_type", "linux");
}

void adapt_image(Json& image, Shape shape, Version version) {
  if (version < Version{1, 44}) image.set("VirtualSize", image["Size"]);
  adapt(image, shape, version);
}

Json usage_json(Usage usage, bool verbose) {
  const auto count = static_cast<std::int64_t>(usage.items.as_array().size());
  Json json = Json::object({{"ActiveCount", usage.active},
                            {"TotalCount", count},
                            {"Reclaimable", usage.reclaimable},
                            {"TotalSize", usage.size}});
  if (verbose) json.set("Items", std::move(usage.items));
  return json;
}

}  // namespace api
