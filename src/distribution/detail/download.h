#pragma once
/// A file of the web, for an import.

#include <stop_token>
#include <string>

#include "base/result.h"
#include "distribution/client.h"

namespace distribution::detail {

/// See Client::fetch.
base::Result<Download> download(const Options& options, const std::string& url, std::stop_token stop);

}  // namespace distribution::detail
