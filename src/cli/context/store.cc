#include "cli/context/store.h"

#include <algorithm>

#include <dirent.h>

#include <fmt/format.h>

#include "base/strings.h"
#include "cli/container/environment.h"
#include "cli/format/natural_order.h"
#include "codec/sha256.h"
#include "sys/file.h"

namespace cli {

using base::Result;
using codec::Json;

namespace {

constexpr std::size_t kMaxFile = std::size_t{10} << 20U;

/// Nothing there is nothing.
Result<std::vector<sys::DirEntry>> entries_of(const std::string& path) {
  auto entries = sys::list_dir(sys::kCwd, path);
  if (entries.failed_as(base::ErrorKind::NotFound)) return std::vector<sys::DirEntry>{};
  return entries;
}

Result<> check_component(const std::string& name) {
  if (!name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos) return {};
  return base::invalid(fmt::format("{} is no name of a file", base::quoted(name)));
}

}  // namespace

Result<> check_context_name(std::string_view name) {
  constexpr std::string_view kPunctuation = "_.+-";
  const auto is_alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (name.empty()) return base::invalid("context name cannot be empty");
  if (name == kDefaultContext) return base::invalid("\"default\" is a reserved context name");
  const bool fine = name.size() > 1 && is_alphanumeric(name[0]) && std::ranges::all_of(name, [&](char c) {
    return is_alphanumeric(c) || kPunctuation.find(c) != std::string_view::npos;
  });
  if (fine) return {};
  return base::invalid(
      fmt::format("context name {} is invalid, names are validated against regexp \"^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$\"",
                  base::quoted(name)));
}

std::string ContextStore::meta_path(std::string_view name) const {
  return fmt::format("{}/meta/{}", directory_, codec::sha256(name).hex());
}

std::string ContextStore::tls_path(std::string_view name) const {
  return fmt::format("{}/tls/{}", directory_, codec::sha256(name).hex());
}

Result<std::vector<Json>> ContextStore::list() const {
  std::vector<Json> out;
  const std::string folder = directory_ + "/meta";
  for (const auto& entry : TRY(entries_of(folder))) {
    const std::string path = fmt::format("{}/{}/meta.json", folder, entry.name);
    auto text = sys::read_file(sys::kCwd, path, kMaxFile);
    if (text.failed_as(base::ErrorKind::NotFound) || entry.type == DT_REG) continue;
    out.push_back(TRY(Json::parse(TRY(std::move(text))).context("parse " + path)));
  }
  std::ranges::sort(out, [](const Json& a, const Json& b) {
    return natural_less(a["Name"].as_string(), b["Name"].as_string());
  });
  return out;
}

Result<Json> ContextStore::find(const std::string& name) const {
  const std::string path = meta_path(name) + "/meta.json";
  const auto text = sys::read_file(sys::kCwd, path, kMaxFile);
  if (text.failed_as(base::ErrorKind::NotFound)) {
    return open_failure(path, text.error())
        .context("context not found")
        .context(fmt::format("context {}", base::quoted(name)));
  }
  return Json::parse(TRY(text)).context("parse " + path);
}

Result<bool> ContextStore::contains(const std::string& name) const {
  return sys::exists(sys::kCwd, meta_path(name) + "/meta.json");
}

Result<> ContextStore::save(const Json& meta) const {
  const std::string folder = meta_path(meta["Name"].as_string());
  TRY(sys::make_dirs(sys::kCwd, folder, 0755));
  return sys::write_file_atomic(sys::kCwd, folder + "/meta.json", meta.dump());
}

Result<> ContextStore::remove(const std::string& name) const {
  // First what is looked for, so that half a removal leaves no context without its keys.
  TRY(sys::remove_tree(sys::kCwd, meta_path(name)));
  return sys::remove_tree(sys::kCwd, tls_path(name));
}

Result<ContextTls> ContextStore::tls(const std::string& name) const {
  ContextTls out;
  const std::string folder = tls_path(name);
  for (const auto& endpoint : TRY(entries_of(folder))) {
    if (endpoint.type == DT_REG) continue;
    auto& files = out[endpoint.name];
    const std::string path = folder + "/" + endpoint.name;
    for (const auto& file : TRY(entries_of(path))) {
      files[file.name] = TRY(sys::read_file(sys::kCwd, path + "/" + file.name, kMaxFile));
    }
  }
  return out;
}

Result<> ContextStore::replace_tls(const std::string& name, const ContextTls& tls) const {
  for (const auto& [endpoint, files] : tls) {
    TRY(check_component(endpoint));
    for (const auto& [file, contents] : files) TRY(check_component(file));
  }
  const std::string folder = tls_path(name);
  TRY(sys::remove_tree(sys::kCwd, folder));
  // Certificates are the user's own; what stands above them is as docker makes it.
  TRY(sys::make_dirs(sys::kCwd, directory_, 0755));
  for (const auto& [endpoint, files] : tls) {
    if (files.empty()) continue;
    const std::string path = folder + "/" + endpoint;
    TRY(sys::make_dirs(sys::kCwd, path, 0700));
    for (const auto& [file, contents] : files) {
      TRY(sys::write_file_atomic(sys::kCwd, path + "/" + file, contents, 0600));
    }
  }
  return {};
}

}  // namespace cli
