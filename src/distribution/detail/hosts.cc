#include "distribution/detail/hosts.h"

#include <algorithm>
#include <array>

#include <regex.h>
#include <toml++/toml.h>

#include "base/strings.h"
#include "distribution/detail/transfer.h"
#include "spec/reference.h"
#include "sys/file.h"

namespace distribution::detail {
namespace {

using base::Result;

constexpr std::size_t kFileLimit = std::size_t{1} << 20U;

base::Error wrong(const toml::node& node, const std::string& what) {
  return base::invalid("line " + std::to_string(node.source().begin.line) + ": " + what);
}

std::string in_folder(const std::string& path, const std::string& folder) {
  return path.starts_with('/') ? path : folder + "/" + path;
}

/// A text, or a list of texts.
Result<std::vector<std::string>> texts_of(const toml::node& node, const std::string& what) {
  std::vector<std::string> texts;
  if (const auto one = node.value<std::string>()) return std::vector{*one};
  const toml::array* list = node.as_array();
  if (list == nullptr) return wrong(node, what + ": want a string or a list of strings");
  for (const auto& item : *list) {
    const auto text = item.value<std::string>();
    if (!text) return wrong(item, what + ": want a string");
    texts.push_back(*text);
  }
  return texts;
}

Result<bool> bool_of(const toml::node& node, const std::string& what) {
  const auto value = node.value<bool>();
  if (!value) return wrong(node, what + ": want true or false");
  return *value;
}

/// "file", ["file", …], or [["cert", "key"], …]; one file has both.
Result<std::vector<std::pair<std::string, std::string>>> clients_of(const toml::node& node, const std::string& folder) {
  std::vector<std::pair<std::string, std::string>> clients;
  const toml::array* list = node.as_array();
  if (list == nullptr) {
    for (const auto& file : TRY(texts_of(node, "client"))) {
      clients.emplace_back(in_folder(file, folder), in_folder(file, folder));
    }
    return clients;
  }
  for (const auto& item : *list) {
    const auto files = TRY(texts_of(item, "client"));
    if (files.empty() || files.size() > 2) return wrong(item, "client: want a certificate and its key");
    clients.emplace_back(in_folder(files.front(), folder), in_folder(files.back().empty() ? files.front() : files.back(), folder));
  }
  return clients;
}

Result<> read_capabilities(Host& host, const toml::node& node) {
  host.pull = host.resolve = host.push = false;
  for (const auto& name : TRY(texts_of(node, "capabilities"))) {
    if (name == "pull") {
      host.pull = true;
    } else if (name == "resolve") {
      host.resolve = true;
    } else if (name == "push") {
      host.push = true;
    } else {
      return wrong(node, "unknown capability " + base::quoted(name) + ": want pull, resolve or push");
    }
  }
  return {};
}

Result<> read_headers(Host& host, const toml::node& node) {
  const toml::table* table = node.as_table();
  if (table == nullptr) return wrong(node, "header: want a table");
  for (const auto& [name, value] : *table) {
    for (const auto& text : TRY(texts_of(value, "header"))) {
      const std::string line = std::string{name.str()} + ": " + text;
      // A line end would begin another header.
      if (std::ranges::any_of(line, [](char c) { return static_cast<unsigned char>(c) < ' '; })) {
        return wrong(value, "header: malformed");
      }
      host.headers.push_back(line);
    }
  }
  return {};
}

Result<> read_rewrites(Host& host, const toml::node& node) {
  const toml::table* table = node.as_table();
  if (table == nullptr) return wrong(node, "rewrite: want a table");
  std::vector<std::pair<toml::source_position, Rewrite>> found;
  for (const auto& [pattern, value] : *table) {
    const auto replacement = value.value<std::string>();
    if (!replacement) return wrong(value, "rewrite: want a string");
    regex_t compiled{};
    if (::regcomp(&compiled, std::string{pattern.str()}.c_str(), REG_EXTENDED) != 0) {
      return wrong(value, "rewrite: malformed expression " + base::quoted(pattern.str()));
    }
    ::regfree(&compiled);
    found.emplace_back(value.source().begin, Rewrite{std::string{pattern.str()}, *replacement});
  }
  std::ranges::sort(found, {}, [](const auto& rule) { return std::pair{rule.first.line, rule.first.column}; });
  for (auto& [position, rule] : found) host.rewrites.push_back(std::move(rule));
  return {};
}

/// What may stand in the file's head, for the server, and in each host's table.
Result<Host> read_host(const toml::table& table, std::string url, const std::string& folder) {
  Host host;
  host.url = std::move(url);
  if (const auto* node = table.get("capabilities")) TRY(read_capabilities(host, *node));
  if (const auto* node = table.get("skip_verify")) host.skip_verify = TRY(bool_of(*node, "skip_verify"));
  if (const auto* node = table.get("override_path")) host.override_path = TRY(bool_of(*node, "override_path"));
  if (const auto* node = table.get("ca")) {
    for (const auto& file : TRY(texts_of(*node, "ca"))) host.authorities.push_back(in_folder(file, folder));
  }
  if (const auto* node = table.get("client")) host.clients = TRY(clients_of(*node, folder));
  if (const auto* node = table.get("header")) TRY(read_headers(host, *node));
  if (const auto* node = table.get("rewrite")) TRY(read_rewrites(host, *node));
  return host;
}

Result<std::string> url_of(std::string text, const toml::node& node) {
  if (text.find("://") == std::string::npos) text.insert(0, "https://");
  while (text.ends_with('/')) text.pop_back();
  if (text.find_first_of("?#") != std::string::npos) return wrong(node, "malformed URL " + base::quoted(text));
  if (auto parts = parse_url(text); !parts) return wrong(node, parts.error().message());
  return text;
}

Result<Hosts> read_document(const toml::table& document, const std::string& folder) {
  Hosts hosts;
  std::string server;
  if (const auto* node = document.get("server")) {
    const auto text = node->value<std::string>();
    if (!text) return wrong(*node, "server: want a string");
    server = TRY(url_of(*text, *node));
  }
  hosts.server = TRY(read_host(document, server, folder));
  const auto* node = document.get("host");
  if (node == nullptr) return hosts;
  const toml::table* table = node->as_table();
  if (table == nullptr) return wrong(*node, "host: want a table");
  std::vector<std::pair<toml::source_position, Host>> found;
  for (const auto& [name, value] : *table) {
    const toml::table* entry = value.as_table();
    if (entry == nullptr) return wrong(value, "host: want a table");
    const std::string url = TRY(url_of(std::string{name.str()}, value));
    found.emplace_back(value.source().begin, TRY(read_host(*entry, url, folder)));
  }
  std::ranges::sort(found, {}, [](const auto& host) { return std::pair{host.first.line, host.first.column}; });
  for (auto& [position, host] : found) hosts.mirrors.push_back(std::move(host));
  return hosts;
}

}  // namespace

Result<Hosts> parse_hosts(std::string_view text, const std::string& folder) {
  try {
    const toml::table document = toml::parse(text);
    return read_document(document, folder);
  } catch (const toml::parse_error& failure) {
    return base::invalid("line " + std::to_string(failure.source().begin.line) + ": " +
                         std::string{failure.description()});
  }
}

Result<std::optional<Hosts>> read_hosts(const std::string& certs_dir, const std::string& domain) {
  using Answer = std::optional<Hosts>;
  if (!spec::is_registry_host(domain)) return Answer{};
  std::string with_port = domain;
  if (const auto colon = domain.rfind(':'); colon != std::string::npos && !domain.ends_with(']')) {
    with_port[colon] = '_';
    with_port += '_';
  }
  for (const auto& name : {with_port, domain, std::string{"_default"}}) {
    const std::string folder = certs_dir + "/" + name;
    const std::string path = folder + "/hosts.toml";
    const auto text = sys::read_file(sys::kCwd, path, kFileLimit);
    if (text.failed_as(base::ErrorKind::NotFound)) continue;
    if (!text) return base::Error{text.error()}.context("read the hosts of " + domain);
    return Answer{TRY(parse_hosts(*text, folder).context(path))};
  }
  return Answer{};
}

std::string rewrite_path(const std::vector<Rewrite>& rules, const std::string& path) {
  for (const auto& rule : rules) {
    regex_t compiled{};
    if (::regcomp(&compiled, rule.pattern.c_str(), REG_EXTENDED) != 0) continue;  // checked when it was read
    std::array<regmatch_t, 10> groups{};
    const bool matches = ::regexec(&compiled, path.c_str(), groups.size(), groups.data(), 0) == 0;
    ::regfree(&compiled);
    if (!matches) continue;
    const auto part = [&](const regmatch_t& group) {
      return group.rm_so < 0 ? std::string{}
                             : path.substr(static_cast<std::size_t>(group.rm_so),
                                           static_cast<std::size_t>(group.rm_eo - group.rm_so));
    };
    std::string out = path.substr(0, static_cast<std::size_t>(groups[0].rm_so));
    for (std::size_t i = 0; i < rule.replacement.size(); ++i) {
      const bool group = rule.replacement[i] == '$' && i + 1 < rule.replacement.size() &&
                         rule.replacement[i + 1] >= '0' && rule.replacement[i + 1] <= '9';
      if (group) {
        out += part(groups.at(static_cast<std::size_t>(rule.replacement[++i] - '0')));
      } else {
        out += rule.replacement[i];
      }
    }
    return out + path.substr(static_cast<std::size_t>(groups[0].rm_eo));
  }
  return path;
}

}  // namespace distribution::detail
