// Every field of a create request: it is read and written under its name, a value of another type is refused
// with its name, and what nobody knows is ignored.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "spec/engine/container.h"

namespace spec::api {
namespace {

using testing::HasSubstr;

constexpr const char* kAllFields = R"({
  "Hostname": "h", "Domainname": "d", "User": "u", "AttachStdin": true, "AttachStdout": true, "AttachStderr": true,
  "ExposedPorts": {"80/tcp": {}}, "Tty": true, "OpenStdin": true, "StdinOnce": true, "Env": ["A=1"], "Cmd": ["c"],
  "Healthcheck": {"Test": ["CMD", "x"], "Interval": 1, "Timeout": 2, "StartPeriod": 3, "StartInterval": 4, "Retries": 5},
  "ArgsEscaped": true, "Image": "i", "Volumes": {"/v": {}}, "WorkingDir": "/w", "Entrypoint": ["e"],
  "NetworkDisabled": true, "MacAddress": "02:00:00:00:00:01", "OnBuild": ["RUN x"], "Labels": {"l": "1"},
  "StopSignal": "TERM", "StopTimeout": 9, "Shell": ["sh"],
  "HostConfig": {
    "CpuShares": 1, "Memory": 2, "NanoCpus": 3, "CgroupParent": "/p", "BlkioWeight": 10,
    "BlkioWeightDevice": [{"Path": "/dev/a", "Weight": 20}], "BlkioDeviceReadBps": [{"Path": "/dev/a", "Rate": 1}],
    "BlkioDeviceWriteBps": [{"Path": "/dev/a", "Rate": 2}], "BlkioDeviceReadIOps": [{"Path": "/dev/a", "Rate": 3}],
    "BlkioDeviceWriteIOps": [{"Path": "/dev/a", "Rate": 4}], "CpuPeriod": 1, "CpuQuota": 2, "CpuRealtimePeriod": 3,
    "CpuRealtimeRuntime": 4, "CpusetCpus": "0", "CpusetMems": "0",
    "Devices": [{"PathOnHost": "/dev/a", "PathInContainer": "/dev/b", "CgroupPermissions": "rwm"}],
    "DeviceCgroupRules": ["c 1:3 rwm"],
    "DeviceRequests": [{"Driver": "cdi", "Count": 1, "DeviceIDs": ["x"], "Capabilities": [["gpu"]], "Options": {"a": "b"}}],
    "MemoryReservation": 1, "MemorySwap": 2, "MemorySwappiness": 3, "OomKillDisable": true, "PidsLimit": 4,
    "Ulimits": [{"Name": "nofile", "Hard": 2, "Soft": 1}],
    "Binds": ["/a:/b"], "ContainerIDFile": "f", "LogConfig": {"Type": "none", "Config": {"a": "b"}},
    "NetworkMode": "bridge", "PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "80"}]},
    "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 1}, "AutoRemove": true, "VolumeDriver": "local",
    "VolumesFrom": ["c"], "ConsoleSize": [24, 80], "Annotations": {"a": "b"}, "CapAdd": ["CHOWN"], "CapDrop": ["ALL"],
    "CgroupnsMode": "private", "Dns": ["1.1.1.1"], "DnsOptions": ["x"], "DnsSearch": ["s"], "ExtraHosts": ["h:1.1.1.1"],
    "GroupAdd": ["g"], "IpcMode": "private", "Cgroup": "", "Links": ["a:b"], "OomScoreAdj": 1, "PidMode": "host",
    "Privileged": true, "PublishAllPorts": true, "ReadonlyRootfs": true, "SecurityOpt": ["seccomp=unconfined"],
    "StorageOpt": {"size": "1"}, "Tmpfs": {"/t": "size=1"}, "UTSMode": "host", "UsernsMode": "host", "ShmSize": 1,
    "Sysctls": {"net.a": "1"}, "Runtime": "runc", "Isolation": "default",
    "Mounts": [
      {"Type": "bind", "Source": "/a", "Target": "/b", "ReadOnly": true, "Consistency": "cached",
       "BindOptions": {"Propagation": "rprivate", "NonRecursive": true, "CreateMountpoint": true,
                       "ReadOnlyNonRecursive": true, "ReadOnlyForceRecursive": true}},
      {"Type": "volume", "VolumeOptions": {"NoCopy": true, "Labels": {"a": "b"}, "Subpath": "s",
       "DriverConfig": {"Name": "local", "Options": {"o": "p"}}}},
      {"Type": "image", "ImageOptions": {"Subpath": "s"}},
      {"Type": "tmpfs", "TmpfsOptions": {"SizeBytes": 1, "Mode": 448, "Options": [["noexec"]]}}],
    "MaskedPaths": ["/m"], "ReadonlyPaths": ["/r"], "Init": true},
  "NetworkingConfig": {"EndpointsConfig": {"net": {
    "IPAMConfig": {"IPv4Address": "10.0.0.2", "IPv6Address": "fd00::2", "LinkLocalIPs": ["169.254.1.1"]},
    "Links": ["a:b"], "Aliases": ["x"], "MacAddress": "02:00:00:00:00:02", "DriverOpts": {"a": "b"}, "GwPriority": 1,
    "NetworkID": "n", "EndpointID": "e", "Gateway": "10.0.0.1", "IPAddress": "10.0.0.2", "IPPrefixLen": 24,
    "IPv6Gateway": "fd00::1", "GlobalIPv6Address": "fd00::2", "GlobalIPv6PrefixLen": 64, "DNSNames": ["d"]}}}
})";

Json wrong_for(const Json& value) {
  if (value.is_array()) return Json::object({{"a", 1}});
  if (value.is_object()) return Json::array({1});
  return value.is_string() ? Json{7} : Json{"x"};
}

/// Calls `visit(whole document with one value replaced, its path)` for each value.
template <class Visit>
void replace_each(Json& document, Json& value, const std::string& path, Visit visit) {
  const Json right = value;
  if (!path.empty()) {
    value = wrong_for(right);
    visit(document, path);
    value = right;
  }
  if (value.is_object()) {
    for (auto& [name, member] : value.members()) replace_each(document, member, path + "/" + name, visit);
  } else if (value.is_array()) {
    for (Json& item : value.items()) replace_each(document, item, path + "/[]", visit);
  }
}

std::string last_name(const std::string& path) {
  std::string name = path;
  while (name.ends_with("/[]")) name.resize(name.size() - 3);
  return name.substr(name.rfind('/') + 1);
}

TEST(CreateFields, AllOfThemGoInAndOut) {
  const Json asked = Json::parse(kAllFields).value();
  const auto request = codec::from_json<CreateContainerRequest>(asked);
  ASSERT_TRUE(request) << request.error().message();
  const Json again = codec::to_json(*request);
  // Order and defaults are the writer's: every value that was asked for must be there.
  const auto contains = [](const auto& self, const Json& whole, const Json& part, const std::string& path) -> void {
    if (!part.is_object()) {
      if (!part.is_array() || part.as_array().empty() || !part.as_array()[0].is_object()) {
        EXPECT_EQ(whole.dump(), part.dump()) << path;
        return;
      }
      ASSERT_EQ(whole.as_array().size(), part.as_array().size()) << path;
      for (std::size_t i = 0; i < part.as_array().size(); ++i) self(self, whole.as_array()[i], part.as_array()[i], path + "[]");
      return;
    }
    for (const auto& [name, member] : part.as_object()) self(self, whole[name], member, path + "/" + name);
  };
  contains(contains, again, asked, "");
}

TEST(CreateFields, AnotherTypeIsRefusedByName) {
  Json document = Json::parse(kAllFields).value();
  unsigned count = 0;
  replace_each(document, document, "", [&](const Json& wrong, const std::string& path) {
    ++count;
    const auto request = codec::from_json<CreateContainerRequest>(wrong);
    ASSERT_FALSE(request) << path;
    EXPECT_TRUE(request.failed_as(base::ErrorKind::InvalidArgument)) << path;
    EXPECT_THAT(request.error().message(), HasSubstr("cannot unmarshal")) << path;
    // Of a map, the map is named.
    const std::string name = last_name(path);
    const std::string parent = last_name(path.substr(0, path.rfind('/')));
    EXPECT_TRUE(request.error().message().find(name) != std::string::npos ||
                request.error().message().find(parent) != std::string::npos)
        << path << ": " << request.error().message();
  });
  EXPECT_GT(count, 200U);
}

TEST(CreateFields, UnknownOnesAndNullAreIgnored) {
  const Json all = Json::parse(kAllFields).value();
  Json document = all;
  document.set("Future", Json::array({1, 2}));
  Json host = document["HostConfig"];
  host.set("KernelMemory", "gone");
  document.set("HostConfig", host);
  EXPECT_TRUE(codec::from_json<CreateContainerRequest>(document));
  for (const auto& [name, member] : all.as_object()) {
    Json without = document;
    without.set(name, Json{});
    EXPECT_TRUE(codec::from_json<CreateContainerRequest>(without)) << name;
  }
}

}  // namespace
}  // namespace spec::api
