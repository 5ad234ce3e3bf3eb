/// What a registry or an archive says about an image: manifests, indexes, configs, and the
/// WWW-Authenticate header. What is accepted keeps the promises of spec/oci_image.h.
///
/// Input: a byte that chooses the kind of document, the document.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "distribution/detail/challenge.h"
#include "spec/oci_image.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void manifest(std::string_view text) {
  const auto parsed = spec::Manifest::parse(text);
  if (!parsed) return;
  require(!parsed->config.digest().empty() && parsed->config.size >= 0);
  for (const auto& layer : parsed->layers) require(!layer.digest().empty() && layer.size >= 0);
  const auto again = spec::Manifest::parse(parsed->dump());
  require(again.has_value() && again->dump() == parsed->dump());
}

void index(std::string_view text) {
  const auto parsed = spec::Index::parse(text);
  if (!parsed) return;
  for (const auto* platform : {"linux/amd64", "linux/arm/v7", "windows/amd64"}) {
    const auto* chosen = parsed->select(spec::Platform::parse(platform).value());
    require(chosen == nullptr || !chosen->digest().empty());
  }
}

void config(std::string_view text) {
  const auto parsed = spec::ImageConfig::parse(text);
  if (!parsed) return;
  for (const auto& diff_id : parsed->diff_ids()) require(!diff_id.empty());
  require(spec::chain_ids(parsed->diff_ids()).size() == parsed->rootfs.diff_ids.size());
  const auto again = spec::ImageConfig::parse(parsed->dump());
  require(again.has_value() && again->dump() == parsed->dump());
}

void challenge(std::string_view text) {
  for (const auto& found : distribution::detail::parse_challenges(text)) require(!found.scheme.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
  switch (data[0] % 4) {
    case 0: manifest(text); break;
    case 1: index(text); break;
    case 2: config(text); break;
    default: challenge(text); break;
  }
  return 0;
}
