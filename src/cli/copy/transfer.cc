#include "cli/copy/transfer.h"

#include <array>
#include <thread>

#include "base/byte_pipe.h"
#include "base/strings.h"
#include "codec/plain_tar.h"
#include "sys/file.h"
#include "tree/placer.h"
#include "tree/writer.h"

namespace cli::copy {

using base::Result;

namespace {

/// Counts what is read through it.
class Counter final : public base::ByteSource {
 public:
  Counter(base::ByteSource& source, Progress progress) : source_{source}, progress_{progress} {}
  Result<std::size_t> read(std::span<char> buffer) override {
    const std::size_t count = TRY(source_.read(buffer));
    bytes_ += count;
    progress_(bytes_);
    return count;
  }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  base::ByteSource& source_;
  Progress progress_;
  std::uint64_t bytes_ = 0;
};

Result<> write_source(const Place& source, const Plan& plan, base::ByteSink& sink) {
  const Split from = split(source.path);
  const auto folder = TRY(sys::open_at(sys::kCwd, from.folder, O_PATH | O_DIRECTORY));
  // The name in the archive is what the plan renames, so it is the one that the plan expects.
  const std::string name = renamed(plan, source.rebase_name.empty() ? from.base : source.rebase_name);
  tree::Writer writer{sink, tree::Form::Plain};
  if (from.base == "/") {
    TRY(writer.add(folder.get(), ".", name, tree::Writer::Below::Yes));
  } else {
    TRY(writer.add(folder.get(), from.base, name, tree::Writer::Below::Yes));
  }
  TRY(writer.finish());
  return {};
}

}  // namespace

Result<std::uint64_t> unpack(base::ByteSource& tar, const Plan& plan, Progress progress) {
  Counter counter{tar, progress};
  const auto root = TRY(sys::open_dir(sys::kCwd, plan.folder));
  const tree::PlaceOptions options{.keep_kinds = true, .owner = tree::PlaceOptions::Owner::Caller, .folder = {},
                                   .describe_root = false};
  tree::Placer placer{root.get(), tree::Whiteouts::Plain, options};
  codec::PlainTarReader reader{counter};
  codec::TarEntry entry;
  while (true) {
    const bool more = TRY(reader.next(entry));
    if (!more) break;
    entry.path = renamed(plan, std::move(entry.path));
    if (entry.type == codec::TarType::HardLink) entry.link_target = renamed(plan, std::move(entry.link_target));
    TRY(placer.place(entry, reader).context(base::quoted(entry.path)));
  }
  TRY(placer.finish());
  TRY([&]() -> Result<> {  // the padding behind the end, so that the connection can be used again
    std::array<char, 4096> rest;  // NOLINT: filled by the read
    while (TRY(counter.read(rest)) != 0) {}
    return {};
  }());
  return counter.bytes();
}

Result<std::uint64_t> pack(const Place& source, const Plan& plan, Progress progress,
                           base::FunctionRef<Result<>(base::ByteSource& tar)> send) {
  base::BytePipe pipe;
  Result<> written;
  std::thread writer{[&] {
    written = write_source(source, plan, pipe);
    pipe.finish(written);
  }};
  Counter counter{pipe, progress};
  auto sent = send(counter);
  pipe.abandon();
  writer.join();
  // The daemon's reason is the better one: without it nobody would have stopped reading.
  if (!sent) return std::move(sent).error();
  if (!written) return std::move(written).error();
  return counter.bytes();
}

}  // namespace cli::copy
