#pragma once
/// Names of images, by docker's grammar and with docker's short forms made whole:
///
///   ubuntu                     → docker.io/library/ubuntu
///   me/app:1                   → docker.io/me/app:1
///   localhost:5000/app@sha256… → itself
///
/// The first component is a host when it has a dot, a colon or a capital letter, or is "localhost".
/// Source: github.com/distribution/reference (reference.go has the grammar, normalize.go the short
/// forms). Errors are InvalidArgument with that library's texts, on which clients match.

#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/result.h"

namespace spec {

/// Immutable, always whole: a host and a path, perhaps a tag, perhaps a digest.
class Reference {
 public:
  /// Errors: "invalid reference format", "invalid reference format: repository name (library/Foo) must
  /// be lowercase", "invalid repository name (…), cannot specify 64-byte hexadecimal strings", ….
  static base::Result<Reference> parse(std::string_view text);
  /// A name and what the API gives apart: a tag or a digest, "" for none. It replaces what `name` has.
  static base::Result<Reference> parse(std::string_view name, std::string_view tag_or_digest);

  [[nodiscard]] const std::string& domain() const { return domain_; }  ///< "docker.io"
  [[nodiscard]] const std::string& path() const { return path_; }      ///< "library/ubuntu"
  [[nodiscard]] std::string name() const { return domain_ + "/" + path_; }
  [[nodiscard]] const std::string& tag() const { return tag_; }         ///< "" for none
  [[nodiscard]] const base::Digest& digest() const { return digest_; }  ///< empty for none
  /// Neither a tag nor a digest.
  [[nodiscard]] bool is_name_only() const { return tag_.empty() && digest_.empty(); }

  /// "docker.io/library/ubuntu:1@sha256:…"
  [[nodiscard]] std::string str() const;
  /// As people write it: "ubuntu", "me/app", "localhost:5000/app". Parses back to the same.
  [[nodiscard]] std::string familiar_name() const;
  [[nodiscard]] std::string familiar() const;  ///< with tag and digest

  /// With the tag "latest" if it has neither tag nor digest.
  [[nodiscard]] Reference with_default_tag() const;
  /// Errors: "invalid tag format".
  [[nodiscard]] base::Result<Reference> with_tag(std::string_view tag) const;  ///< instead of a digest
  [[nodiscard]] Reference with_digest(const base::Digest& digest) const;       ///< instead of a tag
  [[nodiscard]] Reference name_only() const;
  /// The tag or the digest's text; a digest goes first.
  [[nodiscard]] const std::string& tag_or_digest() const { return digest_.empty() ? tag_ : digest_.str(); }

  auto operator<=>(const Reference&) const = default;

 private:
  Reference() = default;
  std::string domain_, path_, tag_;
  base::Digest digest_;
};

/// 64 hex digits in lower case: a whole id, never a name.
[[nodiscard]] bool is_image_id(std::string_view text);
/// `[\w][\w.-]{0,127}`
[[nodiscard]] bool is_tag(std::string_view text);
/// "host[:port]" as a reference may have it, IPv6 in brackets.
[[nodiscard]] bool is_registry_host(std::string_view text);

}  // namespace spec
