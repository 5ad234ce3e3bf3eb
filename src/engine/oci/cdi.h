#pragma once
/// CDI devices: `--device vendor.com/class=name`, and what `--gpus` asks for. A vendor's specification, a file
/// of JSON or YAML in one of the daemon's directories, says what a container with the device gets: nodes,
/// mounts, variables, hooks. Source: Container Device Interface specification, version 0.8.
///
/// The files are the administrator's. They are read at each start, so that a driver's update counts at once.

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "codec/json.h"
#include "spec/engine/container.h"
#include "spec/runtime_config.h"

namespace engine::oci {

/// "vendor.com/class=name". Errors: InvalidArgument `unqualified device "x", missing vendor`.
base::Result<> check_cdi_name(const std::string& name);

/// All devices that the directories offer. A file in a later directory wins over one in an earlier one; two of
/// one directory that offer the same device cancel each other, and the log says so, as it does of files that
/// can't be read.
class CdiDevices {
 public:
  static CdiDevices load(const std::vector<std::string>& directories);

  [[nodiscard]] bool contains(const std::string& name) const { return devices_.contains(name); }
  [[nodiscard]] std::vector<std::string> names() const;
  /// Adds what the devices bring. Errors: InvalidArgument "CDI device injection failed: unresolvable CDI devices
  /// x, y", or a node that is not on this host.
  base::Result<> inject(const std::vector<std::string>& names, spec::oci::Spec& spec) const;

 private:
  struct Device {
    codec::Json edits, common_edits;  ///< containerEdits of the device and of its file
    std::string file;
    std::size_t directory = 0;
    bool ambiguous = false;
  };
  void add_file(const std::string& path, std::size_t directory);
  base::Result<> add_spec(const codec::Json& document, const std::string& path, std::size_t directory);

  std::map<std::string, Device> devices_;
};

/// The CDI devices that requests of HostConfig ask for: of the driver "cdi" those named; of "" and "nvidia" with
/// the capability gpu, as --gpus makes them, "nvidia.com/gpu=<id>" or "=all".
/// Errors: InvalidArgument in docker's words, for what no driver here can give.
base::Result<std::vector<std::string>> requested_devices(const std::vector<spec::api::DeviceRequest>& requests,
                                                         const CdiDevices& devices);

}  // namespace engine::oci
