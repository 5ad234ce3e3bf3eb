#include "spec/reference.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/strings.h"

namespace spec {
namespace {

using base::invalid;
using base::Result;

constexpr std::string_view kDefaultDomain = "docker.io";
constexpr std::string_view kLegacyDefaultDomain = "index.docker.io";
constexpr std::string_view kOfficialPrefix = "library/";
constexpr std::size_t kLongestPath = 255;
constexpr std::size_t kLongestTag = 128;
constexpr std::string_view kBadFormat = "invalid reference format";

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter_or_digit(char c) { return is_lower(c) || is_upper(c) || is_digit(c); }
bool is_path_char(char c) { return is_lower(c) || is_digit(c); }
bool is_word(char c) { return is_letter_or_digit(c) || c == '_'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

template <class F>
bool all(std::string_view text, F&& f) {
  return std::all_of(text.begin(), text.end(), f);
}

/// Letters and digits, dashes inside only.
bool is_domain_component(std::string_view text) {
  return !text.empty() && text.front() != '-' && text.back() != '-' &&
         all(text, [](char c) { return is_letter_or_digit(c) || c == '-'; });
}

bool is_host(std::string_view text) {
  if (text.starts_with('[')) {
    return text.size() > 2 && text.ends_with(']') &&
           all(text.substr(1, text.size() - 2), [](char c) { return is_hex(c) || c == ':'; });
  }
  const auto parts = base::split(text, '.');
  return std::all_of(parts.begin(), parts.end(), is_domain_component);
}

/// Runs of lower-case letters and digits, between them ".", "_", "__" or any number of "-".
bool is_path_component(std::string_view text) {
  if (text.empty() || !is_path_char(text.front()) || !is_path_char(text.back())) return false;
  for (std::size_t i = 0; i < text.size();) {
    if (is_path_char(text[i])) {
      ++i;
      continue;
    }
    const std::size_t begin = i;
    while (i < text.size() && !is_path_char(text[i])) ++i;
    const std::string_view separator = text.substr(begin, i - begin);
    const bool dashes = all(separator, [](char c) { return c == '-'; });
    if (!dashes && separator != "." && separator != "_" && separator != "__") return false;
  }
  return true;
}

bool is_path(std::string_view text) {
  const auto parts = base::split(text, '/');
  return std::all_of(parts.begin(), parts.end(), is_path_component);
}

/// Algorithm and at least 32 hex digits: the shape only; base::Digest decides on the value.
bool looks_like_digest(std::string_view text) {
  const auto parts = base::cut(text, ":");
  if (!parts) return false;
  const auto [algorithm, hex] = *parts;
  bool component_begins = true;
  for (const char c : algorithm) {
    const bool separator = c == '+' || c == '.' || c == '-' || c == '_';
    if (component_begins ? !(is_lower(c) || is_upper(c)) : !(is_letter_or_digit(c) || separator))
      return false;
    component_begins = separator;
  }
  return !algorithm.empty() && !component_begins && hex.size() >= 32 && all(hex, is_hex);
}

struct Split {
  std::string_view domain;
  std::string rest;
};

Split split_domain(std::string_view text) {
  const auto parts = base::cut(text, "/");
  if (!parts) return {kDefaultDomain, std::string{kOfficialPrefix}.append(text)};
  const auto [first, rest] = *parts;
  Split split{kDefaultDomain, std::string{text}};
  if (first == kLegacyDefaultDomain) {
    split.rest = rest;
  } else if (first == "localhost" || first.find_first_of(".:") != first.npos ||
             std::any_of(first.begin(), first.end(), is_upper)) {
    split = {first, std::string{rest}};
  }
  if (split.domain == kDefaultDomain && split.rest.find('/') == std::string::npos) {
    split.rest.insert(0, kOfficialPrefix);
  }
  return split;
}

/// What stands behind the path: [":" tag] ["@" digest].
struct Suffix {
  std::string_view path, tag, digest;
};

std::optional<Suffix> split_suffix(std::string_view rest) {
  Suffix suffix{rest, {}, {}};
  if (const auto at = rest.find('@'); at != rest.npos) {
    suffix.digest = rest.substr(at + 1);
    suffix.path = rest.substr(0, at);
    if (!looks_like_digest(suffix.digest)) return std::nullopt;
  }
  if (const auto colon = suffix.path.find(':'); colon != rest.npos) {
    suffix.tag = suffix.path.substr(colon + 1);
    suffix.path = suffix.path.substr(0, colon);
    if (!is_tag(suffix.tag)) return std::nullopt;
  }
  return suffix;
}

Result<base::Digest> parse_digest(std::string_view text) {
  auto digest = base::Digest::parse(text);
  if (digest) return digest;
  const auto algorithm = text.substr(0, text.find(':'));
  if (algorithm != "sha256" && algorithm != "sha512" && algorithm != "sha384") {
    return invalid("unsupported digest algorithm");
  }
  const std::size_t want = algorithm == "sha256" ? 64 : algorithm == "sha384" ? 96 : 128;
  const bool length = text.size() != algorithm.size() + 1 + want;
  return invalid(length ? "invalid checksum digest length" : "invalid checksum digest format");
}

}  // namespace

bool is_image_id(std::string_view text) {
  return text.size() == 64 && all(text, [](char c) { return is_hex(c) && !is_upper(c); });
}

bool is_tag(std::string_view text) {
  return !text.empty() && text.size() <= kLongestTag && is_word(text.front()) &&
         all(text, [](char c) { return is_word(c) || c == '.' || c == '-'; });
}

bool is_registry_host(std::string_view text) {
  const auto bracket = text.rfind(']');
  const auto colon = text.find(':', bracket == text.npos ? 0 : bracket);
  if (colon == text.npos) return is_host(text);
  const auto port = text.substr(colon + 1);
  return is_host(text.substr(0, colon)) && !port.empty() && all(port, is_digit);
}

Result<Reference> Reference::parse(std::string_view text) {
  if (is_image_id(text)) {
    return invalid("invalid repository name (" + std::string{text} +
                   "), cannot specify 64-byte hexadecimal strings");
  }
  const Split split = split_domain(text);
  const std::string_view rest = split.rest;
  const std::string_view name = rest.substr(0, rest.find(':'));
  if (std::any_of(name.begin(), name.end(), is_upper)) {
    return invalid(std::string{kBadFormat} + ": repository name (" + std::string{name} +
                   ") must be lowercase");
  }
  const auto suffix = split_suffix(rest);
  if (!suffix || !is_registry_host(split.domain) || !is_path(suffix->path)) {
    return invalid(std::string{kBadFormat});
  }
  if (suffix->path.size() > kLongestPath) {
    return invalid("repository name must not be more than 255 characters");
  }
  Reference reference;
  reference.domain_ = split.domain;
  reference.path_ = suffix->path;
  reference.tag_ = suffix->tag;
  if (!suffix->digest.empty()) reference.digest_ = TRY(parse_digest(suffix->digest));
  return reference;
}

Result<Reference> Reference::parse(std::string_view name, std::string_view tag_or_digest) {
  Reference reference = TRY(parse(name));
  if (tag_or_digest.empty()) return reference;
  if (auto digest = base::Digest::parse(tag_or_digest)) return reference.with_digest(*digest);
  return reference.name_only().with_tag(tag_or_digest);
}

std::string Reference::str() const {
  std::string text = name();
  if (!tag_.empty()) text += ":" + tag_;
  if (!digest_.empty()) text += "@" + digest_.str();
  return text;
}

std::string Reference::familiar_name() const {
  if (domain_ != kDefaultDomain) return name();
  std::string_view text = path_;
  if (text.starts_with(kOfficialPrefix) && text.find('/', kOfficialPrefix.size()) == text.npos) {
    text.remove_prefix(kOfficialPrefix.size());
  }
  // "docker.io/a.b/c" would be read as the host a.b, 64 hex digits as an id: those stay whole.
  const Split split = split_domain(text);
  if (split.domain != kDefaultDomain || split.rest != path_ || is_image_id(text)) return name();
  return std::string{text};
}

std::string Reference::familiar() const {
  std::string text = familiar_name();
  if (!tag_.empty()) text += ":" + tag_;
  if (!digest_.empty()) text += "@" + digest_.str();
  return text;
}

Reference Reference::with_default_tag() const {
  Reference reference = *this;
  if (is_name_only()) reference.tag_ = "latest";
  return reference;
}

Result<Reference> Reference::with_tag(std::string_view tag) const {
  if (!is_tag(tag)) return invalid("invalid tag format");
  Reference reference = name_only();
  reference.tag_ = tag;
  return reference;
}

Reference Reference::with_digest(const base::Digest& digest) const {
  Reference reference = name_only();
  reference.digest_ = digest;
  return reference;
}

Reference Reference::name_only() const {
  Reference reference;
  reference.domain_ = domain_;
  reference.path_ = path_;
  return reference;
}

}  // namespace spec
