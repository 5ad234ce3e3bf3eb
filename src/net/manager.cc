#include "net/manager.h"

#include "net/detail/bridge_manager.h"

namespace net {

std::vector<AddressPool> default_pools() {
  const auto block = [](unsigned a, unsigned b, unsigned length) {
    return Subnet{Ipv4{a << 24U | b << 16U}, length};
  };
  return {{block(172, 17, 16), 16}, {block(172, 18, 16), 16}, {block(172, 19, 16), 16},
          {block(172, 20, 14), 16}, {block(172, 24, 14), 16}, {block(172, 28, 14), 16},
          {block(192, 168, 16), 20}};
}

base::Result<std::unique_ptr<Manager>> Manager::open(Options options, std::unique_ptr<Records> records) {
  auto manager = std::make_unique<detail::BridgeManager>(std::move(options), std::move(records));
  TRY(manager->start());
  return manager;
}

}  // namespace net
