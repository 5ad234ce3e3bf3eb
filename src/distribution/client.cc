#include "distribution/client.h"

#include <utility>

#include "distribution/detail/repository.h"

namespace distribution {
namespace {

using base::Result;

/// Connections and tokens belong to a repository, that is to one pull: an idle daemon keeps none.
class RegistryClient final : public Client {
 public:
  explicit RegistryClient(Options options) : options_{std::move(options)} {}

  Result<std::unique_ptr<Repository>> open(const spec::Reference& reference, const Credentials& credentials,
                                           std::stop_token stop) override {
    auto session = std::make_shared<detail::Session>(options_, reference, credentials);
    session->places = TRY(detail::places_of(reference, options_, session->trust));
    auto repository = std::make_unique<detail::RegistryRepository>(std::move(session));
    TRY(repository->connect(std::move(stop)));
    return std::unique_ptr<Repository>{std::move(repository)};
  }

 private:
  const Options options_;
};

}  // namespace

Result<std::unique_ptr<Client>> Client::create(Options options) {
  if (options.attempts < 1) return base::invalid("attempts: must be at least 1");
  return std::unique_ptr<Client>{std::make_unique<RegistryClient>(std::move(options))};
}

}  // namespace distribution
