/// Names of images: what is accepted is whole, and comes back from both of its written forms as itself.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "spec/reference.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto reference = spec::Reference::parse(text);
  if (!reference) {
    require(!reference.error().message().empty());
    return 0;
  }
  require(!reference->domain().empty() && !reference->path().empty() && reference->path().size() <= 255);
  require(spec::is_registry_host(reference->domain()));
  require(reference->tag().empty() || spec::is_tag(reference->tag()));
  // It becomes a part of URLs and of SQL keys, and it is printed.
  for (const char c : reference->str()) require(c > ' ' && c < 0x7f);
  require(reference->path().find("..") == std::string::npos);
  const auto again = spec::Reference::parse(reference->str());
  require(again.has_value() && *again == *reference);
  const auto familiar = spec::Reference::parse(reference->familiar());
  require(familiar.has_value() && *familiar == *reference);
  return 0;
}
