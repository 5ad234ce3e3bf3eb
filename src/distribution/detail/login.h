#pragma once
/// `docker login`: whether a registry takes a user's credentials.

#include <stop_token>
#include <string>
#include <string_view>

#include "base/result.h"
#include "distribution/client.h"

namespace distribution::detail {

/// The registry that a server's address means: "https://index.docker.io/v1/", "index.docker.io" and "" are
/// "docker.io", "https://x:5000/path" is "x:5000". Errors: InvalidArgument.
base::Result<std::string> domain_of_server(std::string_view server);

/// See Client::log_in.
base::Result<std::string> log_in(const Options& options, const std::string& server,
                                 const Credentials& credentials, std::stop_token stop);

}  // namespace distribution::detail
