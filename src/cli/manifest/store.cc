#include "cli/manifest/store.h"

#include <algorithm>

#include "sys/file.h"

namespace cli {

using base::Result;

namespace {

/// A reference has no other character that a file name can't have.
std::string file_name(const spec::Reference& reference) {
  std::string name = reference.str();
  std::ranges::replace(name, ':', '-');
  std::ranges::replace(name, '/', '_');
  return name;
}

Result<ListedManifest> read_entry(const std::string& path) {
  const std::string text = TRY(sys::read_file(sys::kCwd, path));
  return codec::from_json_text<ListedManifest>(text).context(path);
}

}  // namespace

std::string list_name(const spec::Reference& reference) { return reference.str(); }

std::string ManifestStore::folder(const spec::Reference& list) const { return root_ + "/" + file_name(list); }

Result<std::vector<ListedManifest>> ManifestStore::list(const spec::Reference& list) const {
  std::vector<ListedManifest> found;
  auto entries = sys::list_dir(sys::kCwd, folder(list));
  if (entries.failed_as(base::ErrorKind::NotFound)) return found;
  if (!entries) return std::move(entries.error());
  std::ranges::sort(*entries, {}, &sys::DirEntry::name);
  for (const auto& entry : *entries) found.push_back(TRY(read_entry(folder(list) + "/" + entry.name)));
  return found;
}

Result<std::optional<ListedManifest>> ManifestStore::get(const spec::Reference& list,
                                                         const spec::Reference& manifest) const {
  using Answer = std::optional<ListedManifest>;
  auto entry = read_entry(folder(list) + "/" + file_name(manifest));
  if (entry.failed_as(base::ErrorKind::NotFound)) return Answer{};
  if (!entry) return std::move(entry.error());
  return Answer{*std::move(entry)};
}

Result<> ManifestStore::put(const spec::Reference& list, const spec::Reference& manifest,
                            const ListedManifest& entry) const {
  TRY(sys::make_dirs(sys::kCwd, folder(list), 0755));
  return sys::write_file_atomic(sys::kCwd, folder(list) + "/" + file_name(manifest), codec::to_json(entry).dump());
}

Result<> ManifestStore::remove(const spec::Reference& list) const {
  if (!TRY(sys::exists(sys::kCwd, folder(list)))) return base::not_found("No such manifest: " + list_name(list));
  return sys::remove_tree(sys::kCwd, folder(list));
}

}  // namespace cli
