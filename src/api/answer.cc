#include "api/answer.h"

#include "api/version.h"
#include "base/version.h"

namespace api {
namespace {

http::Headers with_common(const http::Headers& headers) {
  static const http::Headers kCommon{{"Api-Version", newest_version().str()},
                                     {"Docker-Experimental", "false"},
                                     {"Ostype", "linux"},
                                     {"Server", "Caisson/" + std::string{base::kVersion} + " (linux)"}};
  http::Headers all = headers;
  for (const auto& [name, value] : kCommon) all.set(name, value);
  return all;
}

}  // namespace

base::Result<> Answer::respond(int status, const http::Headers& headers, std::string_view body) {
  status_ = status;
  return inner_.respond(status, with_common(headers), body);
}
base::Result<> Answer::begin(int status, const http::Headers& headers) {
  status_ = status;
  return inner_.begin(status, with_common(headers));
}
base::Result<http::Upgraded> Answer::hijack(int status, std::string_view reason, const http::Headers& headers) {
  status_ = status;
  return inner_.hijack(status, reason, headers);
}

}  // namespace api
