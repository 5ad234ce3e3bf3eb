#pragma once
/// A context's docker endpoint: what `--docker key=value` says of it, and where it leads.

#include <map>
#include <string>

#include "base/result.h"
#include "cli/context/store.h"
#include "client/target.h"

namespace cli {

/// The endpoint's name in a context.
inline constexpr const char* kDockerEndpoint = "docker";

/// Errors: NotFound (the context, or an endpoint in it).
base::Result<client::Target> target_of_context(const ContextStore& store, const std::string& name);

struct EndpointSettings {
  codec::Json endpoint;  ///< {"Host": …, "SkipTLSVerify": …}
  std::map<std::string, std::string> tls;  ///< file name → contents
};

/// Reads host, ca, cert, key and skip-tls-verify (`from` is the caller's), certificates from the user's files.
/// Errors: InvalidArgument, "unable to create docker endpoint config: …" in docker's words.
base::Result<EndpointSettings> parse_endpoint(const std::map<std::string, std::string>& settings);

}  // namespace cli
