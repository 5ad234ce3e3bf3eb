#include "distribution/detail/search.h"

#include <optional>
#include <utility>

#include "base/strings.h"
#include "codec/describe.h"
#include "distribution/detail/endpoint.h"
#include "distribution/detail/failure.h"
#include "distribution/detail/trust.h"

namespace distribution {

void describe(auto& v, SearchResult& r) {
  v("name", r.name);
  v("description", r.description);
  v("star_count", r.stars);
  v("is_official", r.official);
  v("is_automated", r.automated);
}

namespace detail {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;

constexpr int kDefaultLimit = 25;
constexpr int kHighestLimit = 100;
constexpr std::size_t kAnswerLimit = std::size_t{4} << 20U;

struct Answer {
  std::vector<SearchResult> results;
};
void describe(auto& v, Answer& a) { v("results", a.results); }

struct Question {
  std::string domain, term;
};

/// "nginx" and "me/nginx" are asked at Docker Hub, "host.name/nginx" there.
Question question_of(std::string_view text) {
  const auto parts = base::cut(text, "/");
  const bool host = parts && (parts->first.find_first_of(".:") != std::string_view::npos || parts->first == "localhost");
  Question question{host ? std::string{parts->first} : "docker.io", std::string{host ? parts->second : text}};
  if (question.domain == "index.docker.io") question.domain = "docker.io";
  if (question.domain == "docker.io" && question.term.starts_with("library/")) question.term.erase(0, 8);
  return question;
}

std::vector<std::string> places_of_search(const std::string& domain, const TrustStore& trust) {
  if (domain == "docker.io") return {"https://index.docker.io"};
  std::vector<std::string> places{"https://" + domain};
  if (trust.is_insecure(domain)) places.push_back("http://" + domain);
  return places;
}

}  // namespace

Result<std::vector<SearchResult>> search(const Options& options, const std::string& term, int limit,
                                         const Credentials& credentials, std::stop_token stop) {
  if (term.find("://") != std::string::npos) {
    return base::invalid("invalid repository name: repository name (" + term + ") should not have a scheme");
  }
  if (limit == 0) limit = kDefaultLimit;
  if (limit < 1 || limit > kHighestLimit) {
    return base::invalid("limit " + std::to_string(limit) + " is outside the range of [1, 100]");
  }
  const Question question = question_of(term);
  const TrustStore trust{options.certs_dir, options.insecure_registries};
  Transfers transfers{options.user_agent, Timeouts{options.connect_timeout, options.stall_timeout}};
  Request request;
  request.headers = {"X-Docker-Token: true"};
  if (!credentials.username.empty()) {
    request.headers.push_back("Authorization: Basic " +
                              base::base64(credentials.username + ":" + credentials.password));
  }
  std::optional<Error> failure;
  for (const auto& place : places_of_search(question.domain, trust)) {
    request.url = place + "/v1/search?q=" + escape(question.term) + "&n=" + std::to_string(limit);
    request.trust = TRY(trust.for_url(request.url));
    auto response = transfers.send(request, stop);
    if (!response) {
      failure = std::move(response.error());
      continue;
    }
    const std::string body = TRY(base::read_all(*response->body, kAnswerLimit).context("search"));
    if (response->status == 404) {
      return base::not_implemented("unexpected status code 404: the registry " + question.domain +
                                   " has no search (" + place + "/v1/search)");
    }
    if (response->status != 200) {
      const Error refused = status_failure(*response, body);
      return Error{refused.kind(), "unexpected status code " + std::to_string(response->status) + ": " + refused.message()};
    }
    return TRY(codec::from_json_text<Answer>(body).context("error decoding registry search results")).results;
  }
  CAISSON_INVARIANT(failure.has_value());
  return *std::move(failure);
}

}  // namespace detail
}  // namespace distribution
