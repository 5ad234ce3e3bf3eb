#include "distribution/detail/failure.h"

#include <algorithm>

#include "base/strings.h"
#include "codec/json.h"
#include "distribution/detail/challenge.h"

namespace distribution::detail {
namespace {

using base::Error;
using base::ErrorKind;

constexpr std::size_t kLongestText = 1000;

/// One line that can't disturb a terminal: a registry is not to be trusted with escape sequences.
std::string printable(std::string_view text) {
  std::string out{text.substr(0, kLongestText)};
  std::replace_if(
      out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }, ' ');
  return out;
}

std::string_view reason_of(long status) {
  switch (status) {
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 416: return "Requested Range Not Satisfiable";
    case 429: return "Too Many Requests";
    case 500: return "Internal Server Error";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    default: return "";
  }
}

std::string status_text(long status) { return "received unexpected HTTP status: " + status_line(status); }

ErrorKind kind_of(long status) {
  if (is_transient(status)) return ErrorKind::Unavailable;
  if (status == 401 || status == 403) return ErrorKind::Unauthorized;
  return status == 404 ? ErrorKind::NotFound : ErrorKind::Internal;
}

}  // namespace

std::string RegistryError::str() const {
  std::string text = base::to_lower(code);
  std::replace(text.begin(), text.end(), '_', ' ');
  if (code == "TOOMANYREQUESTS") text = "toomanyrequests";
  return text + ": " + message;
}

std::string status_line(long status) { return std::to_string(status) + " " + std::string{reason_of(status)}; }

bool is_transient(long status) { return status == 408 || status == 429 || status >= 500; }

std::vector<RegistryError> registry_errors(const Response& response, std::string_view body) {
  std::vector<RegistryError> errors;
  for (const auto header : response.all("www-authenticate")) {
    for (const auto& challenge : parse_challenges(header)) {
      const std::string description = printable(challenge["error_description"]);
      if (challenge["error"] == "insufficient_scope") {
        errors.push_back(
            {"DENIED", description.empty() ? "requested access to the resource is denied" : description});
      } else if (challenge["error"] == "invalid_token") {
        errors.push_back({"UNAUTHORIZED", description.empty() ? "authentication required" : description});
      }
    }
  }
  const auto json = codec::Json::parse(body);
  if (!json) return errors;
  for (const auto& item : (*json)["errors"].as_array()) {
    RegistryError error{printable(item["code"].as_string()), printable(item["message"].as_string())};
    if (error.code.empty()) continue;
    if (error.message.empty()) error.message = base::to_lower(error.code);
    errors.push_back(std::move(error));
  }
  // Token services answer {"details": "…"} or OAuth2's {"error_description": "…"}.
  for (const std::string_view name : {"details", "error_description"}) {
    if (errors.empty() && !(*json)[name].as_string().empty()) {
      errors.push_back({"UNAUTHORIZED", printable((*json)[name].as_string())});
    }
  }
  return errors;
}

std::string describe_failure(const Response& response, std::string_view body, std::string_view otherwise) {
  const auto errors = registry_errors(response, body);
  return errors.empty() ? std::string{otherwise} : errors.front().str();
}

Error status_failure(const Response& response, std::string_view body) {
  return {kind_of(response.status), describe_failure(response, body, status_text(response.status))};
}

Error manifest_failure(const Response& response, std::string_view body, const spec::Reference& reference) {
  auto errors = registry_errors(response, body);
  if (errors.empty() && response.status == 404) errors.push_back({"MANIFEST_UNKNOWN", "manifest unknown"});
  if (errors.empty() && response.status == 403) {
    errors.push_back({"DENIED", "requested access to the resource is denied"});
  }
  if (errors.empty()) return status_failure(response, body);
  const RegistryError& first = errors.front();
  if (first.code == "DENIED") {
    return {ErrorKind::NotFound,
            "pull access denied for " + reference.familiar_name() +
                ", repository does not exist or may require 'docker login': " + first.str()};
  }
  if (first.code == "MANIFEST_UNKNOWN") {
    return {ErrorKind::NotFound, "manifest for " + reference.familiar() + " not found: " + first.str()};
  }
  if (first.code == "NAME_UNKNOWN") {
    return {ErrorKind::NotFound, "repository " + reference.familiar_name() + " not found: " + first.str()};
  }
  return {kind_of(response.status), first.str()};
}

}  // namespace distribution::detail
