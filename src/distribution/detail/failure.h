#pragma once
/// What a registry's refusal means, in docker's words.
/// Source: OCI distribution specification 1.1, "Error Codes".

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "distribution/detail/transfer.h"
#include "spec/reference.h"

namespace distribution::detail {

struct RegistryError {
  std::string code;  ///< "MANIFEST_UNKNOWN"
  std::string message;

  /// "manifest unknown: manifest unknown"
  [[nodiscard]] std::string str() const;
};

/// From the body {"errors": […]}, and from an OAuth error in WWW-Authenticate, which goes first. Empty
/// if there is nothing of the kind.
[[nodiscard]] std::vector<RegistryError> registry_errors(const Response& response, std::string_view body);

/// The first error's text, or `otherwise`.
[[nodiscard]] std::string describe_failure(const Response& response, std::string_view body,
                                           std::string_view otherwise);

/// For an answer that is neither success nor an ordinary "not here": Unavailable for 429 and 5xx,
/// Unauthorized for 401 and 403, else Internal.
[[nodiscard]] base::Error status_failure(const Response& response, std::string_view body);

/// Of a manifest: as status_failure, and NotFound in docker's words for 404 and for repositories that
/// are hidden.
[[nodiscard]] base::Error manifest_failure(const Response& response, std::string_view body,
                                           const spec::Reference& reference);

/// "401 Unauthorized"
[[nodiscard]] std::string status_line(long status);

/// Worth another try: 408, 429, 5xx.
[[nodiscard]] bool is_transient(long status);

}  // namespace distribution::detail
