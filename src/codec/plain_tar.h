#pragma once
/// Reads plain tar without libarchive, for the client, which is linked statically: ustar, pax and GNU's long
/// names and numbers, as the engines write them. No sparse files. Everything else as TarReader.
///
/// One thread at a time. Errors: InvalidArgument (malformed archive), NotImplemented (sparse files), and those of
/// the stream.
/// Sources: POSIX.1-2017 pax(1); GNU tar manual, "Basic Tar Format".

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "codec/tar.h"

namespace codec {

class PlainTarReader final : public TarContent {
 public:
  /// `source` outlives the reader. It is read exactly as far as what `next` and `next_block` gave.
  explicit PlainTarReader(base::ByteSource& source) : source_{source}, buffer_(std::size_t{64} << 10U) {}

  /// The next entry, skipping what was not read of the one before; false at the end.
  base::Result<bool> next(TarEntry& entry);
  base::Result<bool> next_block(TarBlock& block) override;

 private:
  using Block = std::array<char, 512>;
  /// What extended headers say about the next entry.
  struct Extension {
    std::optional<std::string> path, link;
    std::optional<std::uint64_t> size;
    std::optional<std::uint32_t> uid, gid;
    std::optional<struct ::timespec> mtime;
    std::vector<std::pair<std::string, std::string>> xattrs;
  };

  /// False at a clean end of the stream.
  base::Result<bool> read_block(Block& block);
  base::Result<std::string> read_text(std::uint64_t size);
  base::Result<> skip_rest();
  base::Result<> read_pax(std::string_view records, Extension& extension) const;
  base::Result<> describe(const Block& header, const Extension& extension, TarEntry& entry);

  base::ByteSource& source_;
  std::vector<char> buffer_;
  std::uint64_t position_ = 0;  // in the present file
  std::uint64_t left_ = 0;      // of the present file
  std::uint64_t padding_ = 0;
  bool ended_ = false;
};

}  // namespace codec
