/// The bodies of the Engine API: what is decoded can be written and decoded again to the same, whatever it was.
///
/// Input: a byte that chooses the kind of request, the body.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "codec/describe.h"
#include "codec/json.h"
#include "spec/engine/container.h"
#include "spec/engine/container_state.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

template <class T>
void decode(const codec::Json& json) {
  const auto value = codec::from_json<T>(json);
  if (!value) {
    require(!value.error().message().empty());
    return;
  }
  const auto written = codec::to_json(*value);
  const auto again = codec::from_json<T>(written);
  require(again.has_value() && codec::to_json(*again) == written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  std::size_t used = 0;
  const auto json = codec::Json::parse_prefix({reinterpret_cast<const char*>(data + 1), size - 1}, used);
  if (!json || used == 0) return 0;
  switch (data[0] % 4) {
    case 0: decode<spec::api::CreateContainerRequest>(*json); break;
    case 1: decode<spec::api::ExecConfig>(*json); break;
    case 2: decode<spec::api::UpdateRequest>(*json); break;
    default: decode<spec::api::ExecStartRequest>(*json); break;
  }
  return 0;
}
