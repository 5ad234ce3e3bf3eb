#include <algorithm>
#include <utility>

#include "image/detail/variants.h"
#include "image/store.h"

namespace image {

using base::Result;
using spec::api::AttestationStatement;

namespace {

constexpr std::string_view kPredicateType = "in-toto.io/predicate-type";

bool is_wanted(const AttestationStatement& statement, const std::vector<std::string>& types) {
  return types.empty() || std::ranges::find(types, statement.predicate_type) != types.end();
}

Result<> add_statements(const detail::Core& core, const detail::Variant& variant, const AttestationOptions& options,
                        std::vector<AttestationStatement>& out) {
  const auto blobs = TRY(detail::attestation_blobs(core, variant.descriptor));
  if (blobs.empty()) return {};  // it was not to be had when the image was pulled
  const std::string manifest = TRY(core.content.read(blobs.front(), distribution::kManifestLimit));
  const auto json = TRY(codec::Json::parse(manifest).context("attestation " + variant.descriptor.digest_text));
  for (const auto& layer : json["layers"].as_array()) {
    AttestationStatement statement;
    statement.descriptor = TRY(codec::from_json<spec::Descriptor>(layer));
    const auto type = statement.descriptor.annotations.find(std::string{kPredicateType});
    if (type == statement.descriptor.annotations.end()) continue;  // no statement
    statement.predicate_type = type->second;
    if (!is_wanted(statement, options.types)) continue;
    if (options.statement) {
      const auto bytes = TRY(core.content.read(statement.descriptor.digest(), distribution::kConfigLimit));
      statement.statement = TRY(codec::Json::parse(bytes).context("statement " + statement.descriptor.digest_text));
    }
    out.push_back(std::move(statement));
  }
  return {};
}

}  // namespace

Result<std::vector<AttestationStatement>> Store::attestations(const std::string& ref,
                                                              const AttestationOptions& options) const {
  const auto image = TRY(detail::find_variant(*core_, ref, options.platform));
  std::vector<AttestationStatement> statements;
  const auto index = TRY(detail::index_of(*core_, ref));
  if (!index) return statements;
  for (const auto& variant : index->variants) {
    if (variant.attested == image.manifest) TRY(add_statements(*core_, variant, options, statements));
  }
  return statements;
}

}  // namespace image
