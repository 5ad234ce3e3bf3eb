#pragma once
/// What `context export` writes and `context import` reads: meta.json and tls/<endpoint>/<file> in a tar; a zip of
/// the same is read too. An archive may be anybody's: nothing in it leads out of the context, and all of it has
/// at most 10 MiB.

#include <string>
#include <string_view>

#include "base/byte_stream.h"
#include "base/result.h"
#include "cli/context/store.h"
#include "codec/json.h"

namespace cli {

struct ContextArchive {
  codec::Json meta;
  ContextTls tls;
};

base::Result<> write_context(base::ByteSink& sink, const ContextArchive& context);
/// Errors: InvalidArgument: too large, an unexpected file, no metadata, a broken archive.
base::Result<ContextArchive> read_context(base::ByteSource& source);

}  // namespace cli
