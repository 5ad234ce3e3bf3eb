#pragma once
/// The search of Docker Hub: GET /v1/search?q=nginx&n=25. Other registries may have it, few do.
/// Source: Docker Registry API v1, "Search".

#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "distribution/client.h"

namespace distribution::detail {

/// See Client::search.
base::Result<std::vector<SearchResult>> search(const Options& options, const std::string& term, int limit,
                                               const Credentials& credentials, std::stop_token stop);

}  // namespace distribution::detail
