/// What `context import` takes: a tar or a zip of anybody. It is read or refused; what is read can be written and
/// read again.
///
/// Input: the archive.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "cli/context/archive.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  base::StringSource source{{reinterpret_cast<const char*>(bytes), size}};
  const auto context = cli::read_context(source);
  if (!context) return 0;
  base::StringSink sink;
  if (!cli::write_context(sink, *context)) std::abort();
  base::StringSource again{sink.text};
  const auto back = cli::read_context(again);
  if (!back || back->meta != context->meta || back->tls != context->tls) std::abort();
  return 0;
}
