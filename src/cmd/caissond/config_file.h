#pragma once
/// daemon.json: which keys there are, what their values look like, and which flags they set.
/// Source: dockerd's configuration reference; fields of moby's daemon/config.

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "codec/json.h"
#include "flags/flag_set.h"

namespace caissond {

/// The JSON that a key wants.
enum class Shape : std::uint8_t {
  Bool,
  Number,
  Text,
  Size,      ///< 67108864 or "64m"
  Texts,     ///< ["a", "b"]
  Pools,     ///< [{"base": "10.0.0.0/8", "size": 24}]
  Map,       ///< {"a": "b"}, whatever the members are
  Ulimits,   ///< {"nofile": {"Name": "nofile", "Soft": 1, "Hard": 2}}
  Runtimes,  ///< {"crun": {"path": "/usr/bin/crun", "runtimeArgs": ["--debug"]}}
  Group,     ///< an object whose members are keys of their own: "proxies"
  Nothing,   ///< taken and passed over, as dockerd does
};

struct Key {
  std::string_view name;
  Shape shape;
  std::string_view flag = {};  ///< if it is called otherwise
  bool reloadable = false;     ///< by SIGHUP

  [[nodiscard]] std::string_view flag_name() const { return flag.empty() ? name : flag; }
};

/// All keys, by name.
[[nodiscard]] std::span<const Key> daemon_json_keys();

/// Sets the flags that the file names. `given` is the set that parsed the command line, `target` one over the same
/// variables. A missing file is an empty one. Errors: InvalidArgument with dockerd's wording: unknown directives, what
/// is given by a flag too, wrong types.
base::Result<> apply_file(const flags::FlagSet& given, flags::FlagSet& target, const std::string& path);

}  // namespace caissond
