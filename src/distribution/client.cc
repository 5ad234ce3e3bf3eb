#include "distribution/client.h"

#include <mutex>
#include <utility>

#include "distribution/detail/download.h"
#include "distribution/detail/login.h"
#include "distribution/detail/repository.h"
#include "distribution/detail/search.h"

namespace distribution {
namespace {

using base::Result;

Result<> check(const Options& options) {
  return options.attempts < 1 ? base::invalid("attempts: must be at least 1") : Result<>{};
}

/// Connections and tokens belong to a repository, that is to one pull: an idle daemon keeps none.
class RegistryClient final : public Client {
 public:
  explicit RegistryClient(Options options) : options_{std::move(options)} {}

  Result<> reconfigure(Options options) override {
    TRY(check(options));
    const std::lock_guard lock{mutex_};
    options_ = std::move(options);
    return {};
  }

  Result<std::unique_ptr<Repository>> open(const spec::Reference& reference, const Credentials& credentials,
                                           std::stop_token stop) override {
    return connect(reference, credentials, Access::Pull, {}, std::move(stop));
  }

  Result<std::unique_ptr<Repository>> open_for_push(const spec::Reference& reference,
                                                    const Credentials& credentials,
                                                    const std::vector<std::string>& mount_from,
                                                    std::stop_token stop) override {
    return connect(reference, credentials, Access::Push, mount_from, std::move(stop));
  }

  std::unique_ptr<Client> trusting(const std::string& host) const override {
    Options with_host = options();
    with_host.insecure_registries.push_back(host);
    return std::make_unique<RegistryClient>(std::move(with_host));
  }

  Result<std::string> log_in(const std::string& server, const Credentials& credentials,
                             std::stop_token stop) override {
    return detail::log_in(options(), server, credentials, std::move(stop));
  }

  Result<std::vector<SearchResult>> search(const std::string& term, int limit, const Credentials& credentials,
                                           std::stop_token stop) override {
    return detail::search(options(), term, limit, credentials, std::move(stop));
  }

  Result<Download> fetch(const std::string& url, std::stop_token stop) override {
    return detail::download(options(), url, std::move(stop));
  }

 private:
  Result<std::unique_ptr<Repository>> connect(const spec::Reference& reference, const Credentials& credentials,
                                              Access access, const std::vector<std::string>& also_read,
                                              std::stop_token stop) {
    auto session = std::make_shared<detail::Session>(options(), reference, credentials);
    session->places = TRY(detail::places_of(reference.domain(), session->options, session->trust, access));
    if (access == Access::Pull && reference.digest().empty()) {
      std::erase_if(session->places, [](const detail::Place& place) { return !place.resolves; });
    }
    session->scopes = {"repository:" + reference.path() + (access == Access::Push ? ":pull,push" : ":pull")};
    for (const auto& path : also_read) session->scopes.push_back("repository:" + path + ":pull");
    auto repository = std::make_unique<detail::RegistryRepository>(std::move(session));
    TRY(repository->connect(std::move(stop)));
    return std::unique_ptr<Repository>{std::move(repository)};
  }

  [[nodiscard]] Options options() const {
    const std::lock_guard lock{mutex_};
    return options_;
  }

  mutable std::mutex mutex_;  // guards all below
  Options options_;
};

}  // namespace

Result<std::unique_ptr<Client>> Client::create(Options options) {
  TRY(check(options));
  return std::unique_ptr<Client>{std::make_unique<RegistryClient>(std::move(options))};
}

}  // namespace distribution
