#include "image/detail/legacy_archive.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/strings.h"
#include "codec/json.h"

namespace image::detail {
namespace {

using base::Result;

constexpr std::size_t kDeepest = 256;

/// The documents from the lowest to `id`.
Result<std::vector<codec::Json>> chain_of(const Archive& archive, std::string id,
                                          std::vector<std::string>& ids) {
  std::vector<codec::Json> chain;
  while (!id.empty()) {
    const std::string* text = archive.document(id + "/json");
    if (text == nullptr) return base::invalid("invalid archive: no image " + base::quoted(id));
    chain.push_back(TRY(codec::Json::parse(*text).context(id + "/json")));
    ids.push_back(id);
    if (chain.size() > kDeepest)
      return base::invalid("invalid archive: too many parents of " + base::quoted(ids.front()));
    id = std::string{chain.back()["parent"].as_string()};
  }
  std::reverse(chain.begin(), chain.end());
  std::reverse(ids.begin(), ids.end());
  return chain;
}

Result<LegacyImage> read_image(Archive& archive, const std::string& id) {
  LegacyImage image;
  std::vector<std::string> ids;
  const auto chain = TRY(chain_of(archive, id, ids));
  codec::Json diff_ids{codec::Json::Array{}};
  codec::Json history{codec::Json::Array{}};
  for (std::size_t i = 0; i < chain.size(); ++i) {
    ArchiveLayer* layer = archive.layer(ids[i] + "/layer.tar");
    if (layer == nullptr) return base::invalid("invalid archive: no layer of " + base::quoted(ids[i]));
    image.layers.push_back(layer);
    diff_ids.push(layer->diff_id.str());
    const auto command = chain[i]["container_config"]["Cmd"].as_array();
    std::string created_by;
    for (const auto& word : command) created_by += (created_by.empty() ? "" : " ") + word.as_string();
    history.push(codec::Json::object({{"created", chain[i]["created"]}, {"created_by", created_by}}));
  }
  codec::Json config = codec::Json::object({});
  for (const auto& [name, value] : chain.back().as_object()) {
    const bool of_the_old_form = name == "id" || name == "parent" || name == "Size" || name == "layer_id" ||
                                 name == "parent_id" || name == "throwaway";
    if (!of_the_old_form) config.set(name, value);
  }
  config.set("rootfs", codec::Json::object({{"type", "layers"}, {"diff_ids", std::move(diff_ids)}}));
  config.set("history", std::move(history));
  image.config = TRY(spec::ImageConfig::parse(config.dump()));
  return image;
}

}  // namespace

Result<std::vector<LegacyImage>> read_legacy(Archive& archive, const std::string& repositories) {
  const auto json = TRY(codec::Json::parse(repositories).context("repositories"));
  std::map<std::string, std::vector<spec::Reference>> names_by_id;
  for (const auto& [name, tags] : json.as_object()) {
    for (const auto& [tag, id] : tags.as_object()) {
      const auto parsed = TRY(spec::Reference::parse(name).context("repositories"));
      names_by_id[id.as_string()].push_back(TRY(parsed.with_tag(tag).context("repositories")));
    }
  }
  std::vector<LegacyImage> images;
  for (auto& [id, names] : names_by_id) {
    LegacyImage image = TRY(read_image(archive, id));
    image.names = std::move(names);
    images.push_back(std::move(image));
  }
  if (images.empty()) return base::invalid("invalid archive: repositories names no image");
  return images;
}

}  // namespace image::detail
