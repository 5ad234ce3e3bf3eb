#pragma once
/// The address ranges of `network create`: which gateway, range and address belongs to which subnet.

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "codec/json.h"

namespace cli {

struct IpamFlags {
  std::vector<std::string> subnets, ranges, gateways;
  std::map<std::string, std::string> auxiliary;
};

/// The "Config" array of the API's IPAM. Errors: InvalidArgument with docker's messages.
base::Result<codec::Json> ipam_config(const IpamFlags& flags);

}  // namespace cli
