#include "codec/json.h"
#include "content/detail/store_state.h"
#include "content/store.h"
#include "sys/file.h"

namespace content {

using base::Digest;
using base::Result;
using codec::Json;

namespace {

constexpr std::string_view kIndexType = "application/vnd.oci.image.index.v1+json";

Json to_json(const IndexEntry& entry) {
  Json::Object out{{"mediaType", entry.media_type}, {"digest", entry.digest.str()}, {"size", entry.size}};
  if (!entry.annotations.empty()) {
    Json::Object annotations;
    for (const auto& [key, value] : entry.annotations) annotations.emplace_back(key, value);
    out.emplace_back("annotations", std::move(annotations));
  }
  if (!entry.platform.is_null()) out.emplace_back("platform", entry.platform);
  return Json{std::move(out)};
}

std::string text_of(const Json& object, std::string_view name) {
  const Json* member = object.find(name);
  return member != nullptr && member->is_string() ? member->as_string() : std::string{};
}

Result<IndexEntry> to_entry(const Json& object) {
  if (!object.is_object()) return base::invalid("a descriptor is no object");
  IndexEntry entry;
  entry.media_type = text_of(object, "mediaType");
  entry.digest = TRY(Digest::parse(text_of(object, "digest")));
  if (const Json* size = object.find("size"); size != nullptr && size->is_integer())
    entry.size = size->as_uint();
  if (const Json* annotations = object.find("annotations");
      annotations != nullptr && annotations->is_object()) {
    for (const auto& [key, value] : annotations->as_object()) {
      if (value.is_string()) entry.annotations.emplace(key, value.as_string());
    }
  }
  if (const Json* platform = object.find("platform")) entry.platform = *platform;
  return entry;
}

}  // namespace

Result<> Store::set_index(const std::vector<IndexEntry>& entries) {
  Json::Array manifests;
  for (const auto& entry : entries) manifests.push_back(to_json(entry));
  const Json index{
      Json::Object{{"schemaVersion", 2}, {"mediaType", kIndexType}, {"manifests", std::move(manifests)}}};
  const std::scoped_lock lock{state_->index_mutex};
  return sys::write_file_atomic(state_->root_dir.get(), "index.json", index.dump()).context("image index");
}

Result<std::vector<IndexEntry>> Store::index() const {
  const std::string text = TRY(sys::read_file(state_->root_dir.get(), "index.json"));
  const Json index = TRY(Json::parse(text).context("index.json"));
  std::vector<IndexEntry> entries;
  const Json* manifests = index.find("manifests");
  if (manifests == nullptr || !manifests->is_array()) return base::invalid("index.json has no manifests");
  for (const Json& manifest : manifests->as_array()) {
    entries.push_back(TRY(to_entry(manifest).context("index.json")));
  }
  return entries;
}

}  // namespace content
