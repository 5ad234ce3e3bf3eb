#include "distribution/detail/download.h"

#include <utility>

#include "base/strings.h"
#include "distribution/detail/failure.h"
#include "distribution/detail/trust.h"

namespace distribution::detail {
namespace {

using base::Result;

constexpr int kMostRedirects = 10;

/// The transfers live as long as what is read from them.
class OwnedBody final : public base::ByteSource {
 public:
  OwnedBody(std::unique_ptr<Transfers> transfers, std::unique_ptr<base::ByteSource> body)
      : transfers_{std::move(transfers)}, body_{std::move(body)} {}
  Result<std::size_t> read(std::span<char> buffer) override { return body_->read(buffer); }

 private:
  std::unique_ptr<Transfers> transfers_;  // before body_, which goes back there
  std::unique_ptr<base::ByteSource> body_;
};

}  // namespace

Result<Download> download(const Options& options, const std::string& url, std::stop_token stop) {
  const TrustStore trust{options.certs_dir, options.insecure_registries};
  auto transfers = std::make_unique<Transfers>(options.user_agent,
                                               Timeouts{options.connect_timeout, options.stall_timeout});
  Request request;
  request.url = url;
  for (int hops = 0; hops <= kMostRedirects; ++hops) {
    request.trust = TRY(trust.for_url(request.url));
    Response response = TRY(transfers->send(request, stop));
    if (response.status == 200) {
      const auto size = response.content_length();
      return Download{std::make_unique<OwnedBody>(std::move(transfers), std::move(response.body)), size};
    }
    const std::string location{response.header("location")};
    if (response.status / 100 != 3 || location.empty()) {
      const auto kind = status_failure(response, {}).kind();
      return base::Error{kind, "failed to GET " + request.url.substr(0, request.url.find('?')) + " with status " +
                                   status_line(response.status)};
    }
    const Url from = TRY(parse_url(request.url));
    const std::string next = TRY(resolve_url(request.url, location));
    const Url to = TRY(parse_url(next));
    if (from.scheme == "https" && to.scheme == "http") {
      return base::internal("Get " + base::quoted(url) + ": refusing a redirect from https to " + to.origin());
    }
    request.url = next;
  }
  return base::internal("Get " + base::quoted(url) + ": stopped after 10 redirects");
}

}  // namespace distribution::detail
