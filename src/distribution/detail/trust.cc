#include "distribution/detail/trust.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <tuple>

#include <arpa/inet.h>
#include <curl/curl.h>

#include "base/strings.h"
#include "spec/reference.h"
#include "sys/file.h"
#include "sys/stream_socket.h"

namespace distribution::detail {
namespace {

using base::Result;

struct Address {
  std::array<std::uint8_t, 16> bytes{};
  unsigned bits = 0;
};

std::optional<Address> parse_address(std::string_view text) {
  const std::string copy{text};
  Address address;
  if (inet_pton(AF_INET, copy.c_str(), address.bytes.data()) == 1) {
    address.bits = 32;
  } else if (inet_pton(AF_INET6, copy.c_str(), address.bytes.data()) == 1) {
    address.bits = 128;
  } else {
    return std::nullopt;
  }
  return address;
}

std::string_view host_of(std::string_view host_port) {
  if (host_port.starts_with('[')) return host_port.substr(1, host_port.find(']') - 1);
  return host_port.substr(0, host_port.find(':'));
}

/// The system's authorities, as libcurl would use them by itself.
std::string system_authorities() {
  CURL* easy = curl_easy_init();
  char* path = nullptr;
  if (easy != nullptr) curl_easy_getinfo(easy, CURLINFO_CAINFO, &path);
  std::string bundle;
  if (path != nullptr) bundle = sys::read_file(sys::kCwd, path).value_or("");
  curl_easy_cleanup(easy);
  return bundle;
}

}  // namespace

bool network_contains(std::string_view network, std::string_view address) {
  const auto parts = base::cut(network, "/");
  if (!parts) return false;
  const auto base_address = parse_address(parts->first);
  const auto length = base::parse_uint(parts->second);
  const auto candidate = parse_address(address);
  if (!base_address || !length || !candidate || base_address->bits != candidate->bits ||
      *length > candidate->bits) {
    return false;
  }
  for (unsigned bit = 0; bit < *length; ++bit) {
    const auto mask = static_cast<std::uint8_t>(0x80U >> (bit % 8));
    if (((base_address->bytes[bit / 8] ^ candidate->bytes[bit / 8]) & mask) != 0) return false;
  }
  return true;
}

TrustStore::TrustStore(std::string certs_dir, std::vector<std::string> insecure)
    : certs_dir_{std::move(certs_dir)}, insecure_{std::move(insecure)} {}

Result<> TrustStore::add(const Host& host) {
  if (!host.has_trust()) return {};
  const Url parts = TRY(parse_url(host.url));
  Trust trust;
  trust.verify = !host.skip_verify.value_or(false);
  for (const auto& file : host.authorities) {
    if (trust.extra_authorities.empty()) trust.extra_authorities = system_authorities();
    trust.extra_authorities += "\n" + TRY(sys::read_file(sys::kCwd, file).context("authority of " + host.url)) + "\n";
  }
  if (!host.clients.empty()) {
    std::tie(trust.client_certificate, trust.client_key) = host.clients.front();
    for (const auto& file : {trust.client_certificate, trust.client_key}) {
      if (!TRY(sys::exists(sys::kCwd, file))) return base::invalid("client certificate of " + host.url + ": no file " + file);
    }
  }
  of_origins_[parts.origin()] = std::move(trust);
  return {};
}

bool TrustStore::is_insecure(std::string_view host_port) const {
  const std::string_view host = host_of(host_port);
  if (host == "localhost" || host == "::1" || network_contains("127.0.0.0/8", host)) return true;
  const bool listed = std::any_of(insecure_.begin(), insecure_.end(), [&](const std::string& entry) {
    return base::equal_ignoring_case(entry, host_port) || network_contains(entry, host);
  });
  return listed || (!parse_address(host) && resolves_into_network(std::string{host}));
}

bool TrustStore::resolves_into_network(const std::string& host) const {
  const auto is_network = [](const std::string& entry) { return entry.find('/') != std::string::npos; };
  if (!std::any_of(insecure_.begin(), insecure_.end(), is_network)) return false;
  const std::scoped_lock lock{mutex_};
  if (const auto known = resolved_.find(host); known != resolved_.end()) return known->second;
  bool inside = false;
  // Not known: the request will say so.
  for (const auto& address : sys::resolve_host(host).value_or(std::vector<std::string>{})) {
    inside = inside || std::any_of(insecure_.begin(), insecure_.end(), [&](const std::string& entry) {
               return network_contains(entry, address);
             });
  }
  resolved_[host] = inside;
  return inside;
}

Result<Trust> TrustStore::for_host(std::string_view host_port) const {
  Trust trust;
  trust.verify = !is_insecure(host_port);
  // A redirect can name anything as its host; ".." must not lead to another folder.
  if (!spec::is_registry_host(host_port)) return trust;
  const std::string dir = certs_dir_ + "/" + std::string{host_port};
  auto entries = sys::list_dir(sys::kCwd, dir);
  if (!entries) {
    if (entries.failed_as(base::ErrorKind::NotFound)) return trust;
    return std::move(entries.error()).context("read the certificates of " + std::string{host_port});
  }
  std::sort(entries->begin(), entries->end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  for (const auto& entry : *entries) {
    const std::string path = dir + "/" + entry.name;
    if (entry.name.ends_with(".crt")) {
      if (trust.extra_authorities.empty()) trust.extra_authorities = system_authorities();
      trust.extra_authorities += "\n" + TRY(sys::read_file(sys::kCwd, path)) + "\n";
      trust.verify = true;  // naming an authority asks for the check, loopback or not
    } else if (entry.name.ends_with(".cert") && trust.client_certificate.empty()) {
      const std::string key = path.substr(0, path.size() - std::string_view{"cert"}.size()) + "key";
      if (!TRY(sys::exists(sys::kCwd, key))) {
        return base::invalid("missing key " + key + " for client certificate " + path +
                             ". CA certificates must use the extension .crt");
      }
      trust.client_certificate = path;
      trust.client_key = key;
    }
  }
  return trust;
}

Result<Trust> TrustStore::for_url(const std::string& url) const {
  const Url parts = TRY(parse_url(url));
  if (const auto known = of_origins_.find(parts.origin()); known != of_origins_.end()) return known->second;
  const bool default_port = parts.port == (parts.scheme == "https" ? "443" : "80");
  return for_host(default_port ? parts.host : parts.host + ":" + parts.port);
}

}  // namespace distribution::detail
