#include "image/detail/records.h"

#include <utility>

namespace image::detail {
namespace {

using base::Digest;
using base::Result;
using state::Durability;
using state::Reader;
using state::Row;
using state::Transaction;

// Literals, so that the statements are compiled once (state/database.h).
#define IMAGES "SELECT id, manifest, media_type, size, created, json, used FROM images"
#define LAYERS                                                                                    \
  "SELECT l.chain_id, diff_id, parent, blob, blob_media_type, blob_size, tar_size, size, recipe " \
  "FROM layers l"

/// NULL for none.
std::optional<std::string> optional_digest(const Digest& digest) {
  return digest.empty() ? std::nullopt : std::optional{digest.str()};
}

Result<ImageRecord> image_from(const Row& row) {
  ImageRecord image;
  image.id = TRY(row.digest(0));
  image.manifest = TRY(row.digest(1));
  image.media_type = row.text(2);
  image.size = row.size(3);
  image.stored = row.time(4);
  image.summary = TRY(codec::from_json_text<Summary>(row.text(5)));
  image.used = row.time(6);
  return image;
}

Result<RefRecord> reference_from(const Row& row) {
  RefRecord reference;
  reference.reference = row.text(0);
  reference.image_id = TRY(row.digest(1));
  reference.manifest = TRY(row.digest(2));
  reference.updated = row.time(3);
  return reference;
}

Result<LayerRecord> layer_from(const Row& row) {
  LayerRecord layer;
  layer.chain_id = row.text(0);
  layer.diff_id = TRY(row.digest(1));
  layer.parent = row.text(2);
  layer.blob = TRY(row.digest(3));
  layer.blob_media_type = row.text(4);
  layer.blob_size = row.size(5);
  layer.tar_size = row.size(6);
  layer.size = row.size(7);
  layer.recipe = TRY(row.digest(8));
  return layer;
}

template <class T>
Result<std::vector<T>> collect(state::Database& database, std::string_view sql, state::Values values,
                               Result<T> (*convert)(const Row&)) {
  std::vector<T> rows;
  TRY(database.read([&](Reader& reader) -> Result<> {
    return reader.select(sql, values, [&](const Row& row) -> Result<> {
      rows.push_back(TRY(convert(row)));
      return {};
    });
  }));
  return rows;
}

template <class T>
Result<std::optional<T>> first(state::Database& database, std::string_view sql, state::Values values,
                               Result<T> (*convert)(const Row&)) {
  auto rows = TRY(collect(database, sql, values, convert));
  if (rows.empty()) return std::optional<T>{};
  return std::optional<T>{std::move(rows.front())};
}

constexpr std::string_view kPutReference =
    "INSERT INTO image_refs (reference, image_id, manifest, created, updated) VALUES (?1, ?2, ?3, ?4, ?4) "
    "ON CONFLICT (reference) DO UPDATE SET image_id = ?2, manifest = ?3, updated = ?4";

Result<> put_reference(Transaction& transaction, const NewReference& reference, const Digest& image_id) {
  const std::string text = reference.reference.str();
  TRY(transaction.execute(kPutReference, {text, image_id, reference.manifest, base::now()}));
  return {};
}

}  // namespace

Result<std::optional<ImageRecord>> Records::image(const Digest& id) const {
  return first(database_, IMAGES " WHERE id = ?",
               {id}, &image_from);
}

Result<std::vector<ImageRecord>> Records::images() const {
  return collect(database_, IMAGES " ORDER BY id",
                 {}, &image_from);
}

Result<std::uint64_t> Records::count() const {
  std::uint64_t count = 0;
  TRY(database_.read([&](Reader& reader) -> Result<> {
    return reader.select("SELECT count(*) FROM images", {}, [&](const Row& row) -> Result<> {
      count = row.size(0);
      return {};
    });
  }));
  return count;
}

Result<std::vector<Digest>> Records::ids_with_prefix(const std::string& hex) const {
  // '~' is behind all hex digits, so that the index on the key serves the search.
  const std::string low = "sha256:" + hex;
  const std::string high = low + "~";
  return collect<Digest>(database_, "SELECT id FROM images WHERE id >= ? AND id < ? LIMIT 2", {low, high},
                         [](const Row& row) { return row.digest(0); });
}

Result<std::optional<RefRecord>> Records::reference(const std::string& reference) const {
  return first(database_, "SELECT reference, image_id, manifest, updated FROM image_refs WHERE reference = ?",
               {reference}, &reference_from);
}

Result<std::vector<RefRecord>> Records::references() const {
  return collect(database_,
                 "SELECT reference, image_id, manifest, updated FROM image_refs ORDER BY reference", {},
                 &reference_from);
}

Result<std::vector<RefRecord>> Records::references_of(const Digest& image_id) const {
  return collect(
      database_,
      "SELECT reference, image_id, manifest, updated FROM image_refs WHERE image_id = ? ORDER BY reference",
      {image_id}, &reference_from);
}

Result<std::optional<LayerRecord>> Records::layer(const std::string& chain_id) const {
  return first(
      database_,
      LAYERS " WHERE l.chain_id = ?",
      {chain_id}, &layer_from);
}

Result<std::vector<LayerRecord>> Records::layers() const {
  return collect(
      database_,
      LAYERS, {},
      &layer_from);
}

Result<std::vector<LayerRecord>> Records::layers_of(const Digest& image_id) const {
  return collect(
      database_,
      LAYERS " JOIN image_layers i ON i.chain_id = l.chain_id WHERE i.image_id = ? ORDER BY position",
      {image_id}, &layer_from);
}

Result<std::optional<LayerRecord>> Records::layer_with_blob(const Digest& blob) const {
  return first(
      database_,
      LAYERS " WHERE blob = ? ORDER BY recipe IS NULL LIMIT 1",
      {blob}, &layer_from);
}

Result<std::vector<std::string>> Records::unused_layers() const {
  return collect<std::string>(database_,
                              "SELECT chain_id FROM layers l WHERE NOT EXISTS (SELECT 1 FROM image_layers i "
                              "WHERE i.chain_id = l.chain_id) "
                              "AND NOT EXISTS (SELECT 1 FROM layers c WHERE c.parent = l.chain_id)",
                              {}, [](const Row& row) -> Result<std::string> { return row.text(0); });
}

Result<bool> Records::is_unused(const std::string& chain_id) const {
  const auto unused = TRY(collect<std::string>(
      database_,
      "SELECT chain_id FROM layers l WHERE chain_id = ? AND NOT EXISTS (SELECT 1 FROM image_layers i "
      "WHERE i.chain_id = l.chain_id) AND NOT EXISTS (SELECT 1 FROM layers c WHERE c.parent = l.chain_id)",
      {chain_id}, [](const Row& row) -> Result<std::string> { return row.text(0); }));
  return !unused.empty();
}

Result<> Records::add_layers(const std::vector<LayerRecord>& layers) {
  return database_.transaction(Durability::PowerLoss, [&](Transaction& transaction) -> Result<> {
    for (const auto& layer : layers) {
      const std::optional<std::string> parent =
          layer.parent.empty() ? std::nullopt : std::optional{layer.parent};
      TRY(
          transaction.execute("INSERT INTO layers (chain_id, diff_id, parent, blob, blob_media_type, "
                              "blob_size, tar_size, size, created, recipe) "
                              "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (chain_id) DO NOTHING",
                              {layer.chain_id, layer.diff_id, parent, layer.blob, layer.blob_media_type,
                               layer.blob_size, layer.tar_size, layer.size, base::now(), optional_digest(layer.recipe)}));
    }
    return {};
  });
}

Result<> Records::add_image(const ImageRecord& image, const std::vector<std::string>& chain_ids,
                            const std::vector<NewReference>& references) {
  const std::string json = codec::to_json(image.summary).dump();
  return database_.transaction(Durability::PowerLoss, [&](Transaction& transaction) -> Result<> {
    const auto added = TRY(transaction.execute(
        "INSERT INTO images (id, manifest, media_type, size, created, json, used) VALUES (?, ?, ?, ?, ?, ?, ?5) "
        "ON CONFLICT (id) DO NOTHING",
        {image.id, image.manifest, image.media_type, image.size, image.stored, json}));
    for (std::size_t i = 0; added != 0 && i < chain_ids.size(); ++i) {
      TRY(transaction.execute("INSERT INTO image_layers (image_id, position, chain_id) VALUES (?, ?, ?)",
                              {image.id, i, chain_ids[i]}));
    }
    for (const auto& reference : references) TRY(put_reference(transaction, reference, image.id));
    TRY(transaction.execute("UPDATE images SET used = max(used, ?) WHERE id = ?", {image.stored, image.id}));
    return {};
  });
}

Result<> Records::set_reference(const NewReference& reference, const Digest& image_id) {
  return database_.transaction(Durability::PowerLoss, [&](Transaction& transaction) -> Result<> {
    return put_reference(transaction, reference, image_id);
  });
}

Result<> Records::remove_reference(const std::string& reference) {
  return database_.transaction(Durability::PowerLoss, [&](Transaction& transaction) -> Result<> {
    TRY(transaction.execute("DELETE FROM image_refs WHERE reference = ?", {reference}));
    return {};
  });
}

Result<> Records::remove_image(const Digest& id) {
  return database_.transaction(Durability::PowerLoss, [&](Transaction& transaction) -> Result<> {
    TRY(transaction.execute("DELETE FROM image_refs WHERE image_id = ?", {id}));
    TRY(transaction.execute("DELETE FROM images WHERE id = ?", {id}));
    return {};
  });
}

Result<> Records::touch(const Digest& id, base::Time time) {
  return database_.transaction(Durability::ProcessDeath, [&](Transaction& transaction) -> Result<> {
    TRY(transaction.execute("UPDATE images SET used = max(used, ?) WHERE id = ?", {time, id}));
    return {};
  });
}

Result<> Records::set_recipe(const std::string& chain_id, const Digest& recipe) {
  return database_.transaction(Durability::PowerLoss, [&](Transaction& transaction) -> Result<> {
    TRY(transaction.execute("UPDATE layers SET recipe = ? WHERE chain_id = ?",
                            {optional_digest(recipe), chain_id}));
    return {};
  });
}

Result<> Records::set_manifest(const Digest& id, const Digest& manifest, const std::string& media_type) {
  return database_.transaction(Durability::PowerLoss, [&](Transaction& transaction) -> Result<> {
    TRY(transaction.execute("UPDATE images SET manifest = ?, media_type = ? WHERE id = ?",
                            {manifest, media_type, id}));
    return {};
  });
}

Result<> Records::set_layers(const Digest& id, const std::vector<std::string>& chain_ids, std::uint64_t size) {
  return database_.transaction(Durability::PowerLoss, [&](Transaction& transaction) -> Result<> {
    TRY(transaction.execute("DELETE FROM image_layers WHERE image_id = ?", {id}));
    for (std::size_t i = 0; i < chain_ids.size(); ++i) {
      TRY(transaction.execute("INSERT INTO image_layers (image_id, position, chain_id) VALUES (?, ?, ?)",
                              {id, i, chain_ids[i]}));
    }
    TRY(transaction.execute("UPDATE images SET size = ? WHERE id = ?", {size, id}));
    return {};
  });
}

Result<> Records::remove_layer(const std::string& chain_id) {
  return database_.transaction(Durability::ProcessDeath, [&](Transaction& transaction) -> Result<> {
    TRY(transaction.execute("DELETE FROM layers WHERE chain_id = ?", {chain_id}));
    return {};
  });
}

}  // namespace image::detail
