#include "net/hosts.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/strings.h"

namespace net {
namespace {

constexpr std::string_view kLoopbackNames =
    "127.0.0.1\tlocalhost\n"
    "::1\tlocalhost ip6-localhost ip6-loopback\n"
    "fe00::\tip6-localnet\n"
    "ff00::\tip6-mcastprefix\n"
    "ff02::1\tip6-allnodes\n"
    "ff02::2\tip6-allrouters\n";
constexpr std::string_view kBlockBegin = "# Containers nearby, kept up to date: lines outside of this block are yours.\n";
constexpr std::string_view kBlockEnd = "# End of containers nearby.\n";
// musl reads lines of at most 511 bytes; an address and one more name of 253 bytes fit in what is left.
constexpr std::size_t kLongestNames = 200;
constexpr std::array<std::string_view, 2> kPublicNameservers{"8.8.8.8", "8.8.4.4"};
constexpr std::string_view kResolvedStub = "127.0.0.53";

/// Enough to tell an address from a name: what is stored is what the user wrote.
bool looks_like_address(std::string_view text) {
  if (Ipv4::parse(text)) return true;
  return std::ranges::count(text, ':') >= 2 &&
         text.find_first_not_of("0123456789abcdefABCDEF:.%") == std::string_view::npos;
}

/// Whether a container, which has an IPv4 address only and a loopback of its own, can ask it.
bool reachable_from_container(std::string_view nameserver) {
  const auto address = Ipv4::parse(nameserver);
  return address && !address->is_loopback();
}

struct ResolvFile {
  std::vector<std::string> nameservers;
  std::string search;
  std::string options;
  std::vector<std::string> others;  ///< sortlist and what later resolvers know
};

ResolvFile parse_resolv(std::string_view text) {
  ResolvFile file;
  for (const auto raw : base::split(text, '\n')) {
    const auto line = base::trim(raw);
    if (line.empty() || line[0] == '#' || line[0] == ';') continue;
    const auto blank = std::min(line.find_first_of(" \t"), line.size());
    const auto keyword = line.substr(0, blank);
    const auto value = base::trim(line.substr(blank));
    if (keyword == "nameserver") {
      file.nameservers.emplace_back(value.substr(0, value.find_first_of(" \t")));
    } else if (keyword == "search" || keyword == "domain") {
      file.search = value;  // resolv.conf(5): the last one counts
    } else if (keyword == "options") {
      if (!file.options.empty()) file.options += ' ';
      file.options += value;
    } else {
      file.others.emplace_back(line);
    }
  }
  return file;
}

}  // namespace

base::Result<ExtraHost> parse_extra_host(std::string_view text, std::string_view host_gateway) {
  auto parts = base::cut(text, ":");
  // "name=address" came later, for IPv6; a name has no '=' and an address neither.
  if (const auto equals = base::cut(text, "=");
      equals && (!parts || equals->first.size() < parts->first.size())) {
    parts = equals;
  }
  if (!parts || parts->first.empty()) {
    return base::invalid(fmt::format("bad format for add-host: {}", base::quoted(text)));
  }
  std::string_view address = parts->second;
  if (address == "host-gateway") {
    if (host_gateway.empty()) {
      return base::invalid(
          "unable to derive the IP value for host-gateway: the default network has no gateway; set "
          "host-gateway-ip");
    }
    return ExtraHost{std::string{parts->first}, std::string{host_gateway}};
  }
  if (address.size() > 2 && address.front() == '[' && address.back() == ']') {
    address = address.substr(1, address.size() - 2);
  }
  if (!looks_like_address(address)) {
    return base::invalid(fmt::format("invalid IP address in add-host: {}", base::quoted(address)));
  }
  return ExtraHost{std::string{parts->first}, std::string{address}};
}

std::string hosts_text(const HostsFile& hosts) {
  std::string text{kLoopbackNames};
  for (const ExtraHost& extra : hosts.extra) text += fmt::format("{}\t{}\n", extra.address, extra.name);
  for (const std::string& address : hosts.addresses) {
    if (hosts.domain.empty()) {
      text += fmt::format("{}\t{}\n", address, hosts.hostname);
    } else {
      text += fmt::format("{}\t{}.{} {}\n", address, hosts.hostname, hosts.domain, hosts.hostname);
    }
  }
  return text;
}

namespace {

std::string block_of(const std::vector<Neighbour>& neighbours) {
  if (neighbours.empty()) return {};
  std::string block{kBlockBegin};
  for (const Neighbour& neighbour : neighbours) {
    std::string names;
    const auto end_line = [&] {
      if (!names.empty()) block += fmt::format("{}\t{}\n", neighbour.address, names);
      names.clear();
    };
    for (const std::string& name : neighbour.names) {
      if (names.size() > kLongestNames) end_line();
      if (!names.empty()) names += ' ';
      names += name;
    }
    end_line();
  }
  block += kBlockEnd;
  return block;
}

}  // namespace

std::string with_neighbours(std::string_view text, const std::vector<Neighbour>& neighbours) {
  const std::string block = block_of(neighbours);
  const auto begin = text.find(kBlockBegin);
  if (begin == std::string_view::npos) {
    const bool ends_in_line = !block.empty() && !text.empty() && text.back() != '\n';
    return std::string{text} + (ends_in_line ? "\n" : "") + block;
  }
  // Somebody may have cut the end off: then only the first line of the block is known to be ours.
  const auto end = text.find(kBlockEnd, begin);
  const auto after = end == std::string_view::npos ? begin + kBlockBegin.size() : end + kBlockEnd.size();
  return std::string{text.substr(0, begin)} + block + std::string{text.substr(after)};
}

std::string hostname_text(std::string_view hostname) { return std::string{hostname} + '\n'; }

std::string resolv_text(std::string_view host_text, const ResolvOptions& options, bool host_network) {
  ResolvFile file = parse_resolv(host_text);
  if (!options.nameservers.empty()) {
    file.nameservers = options.nameservers;
  } else if (!host_network) {
    std::erase_if(file.nameservers,
                  [](const std::string& server) { return !reachable_from_container(server); });
    if (file.nameservers.empty())
      file.nameservers.assign(kPublicNameservers.begin(), kPublicNameservers.end());
  }
  if (!options.search.empty()) file.search = base::join(options.search, " ");
  if (file.search == ".") file.search.clear();
  if (!options.options.empty()) file.options = base::join(options.options, " ");

  std::string text;
  for (const std::string& server : file.nameservers) text += "nameserver " + server + '\n';
  if (!file.search.empty()) text += "search " + file.search + '\n';
  if (!file.options.empty()) text += "options " + file.options + '\n';
  for (const std::string& other : file.others) text += other + '\n';
  return text;
}

std::string_view host_resolv_path(std::string_view etc_resolv_text) {
  const ResolvFile file = parse_resolv(etc_resolv_text);
  const bool only_stub = file.nameservers.size() == 1 && file.nameservers[0] == kResolvedStub;
  return only_stub ? "/run/systemd/resolve/resolv.conf" : "/etc/resolv.conf";
}

}  // namespace net
