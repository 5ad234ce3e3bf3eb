#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "base/strings.h"
#include "codec/tar.h"

namespace codec {

using base::Result;

struct TarReader::State {
  explicit State(base::ByteSource& from) : source{from}, handle{archive_read_new(), archive_read_free} {
    CAISSON_INVARIANT(handle != nullptr);
    archive_read_support_format_tar(handle.get());
    archive_read_support_format_empty(handle.get());
  }

  base::ByteSource& source;
  std::unique_ptr<::archive, int (*)(::archive*)> handle;
  ::archive_entry* entry = nullptr;  // libarchive's
  std::vector<char> buffer = std::vector<char>(std::size_t{128} << 10U);
  std::optional<base::Error> source_failure;
  bool opened = false;

  /// The content with holes filled, for `data()`.
  class Data final : public base::ByteSource {
   public:
    Data(TarReader& reader, std::uint64_t size) : reader_{reader}, size_{size} {}
    Result<std::size_t> read(std::span<char> out) override;

   private:
    TarReader& reader_;
    std::uint64_t size_;
    std::uint64_t position_ = 0;
    TarBlock block_;
    bool ended_ = false;
  };
  std::unique_ptr<Data> data;

  static la_ssize_t read(::archive* handle, void* self, const void** out);
  base::Error failure();
  Result<> describe(TarEntry& out);
};

la_ssize_t TarReader::State::read(::archive* handle, void* self, const void** out) {
  auto& state = *static_cast<State*>(self);
  auto count = state.source.read(state.buffer);
  if (!count) {
    state.source_failure = std::move(count).error();
    archive_set_error(handle, EIO, "the source failed");
    return ARCHIVE_FATAL;
  }
  *out = state.buffer.data();
  return static_cast<la_ssize_t>(*count);
}

base::Error TarReader::State::failure() {
  if (source_failure) return *std::exchange(source_failure, std::nullopt);
  const char* text = archive_error_string(handle.get());
  return base::invalid(fmt::format("tar: {}", text != nullptr ? text : "malformed archive"));
}

namespace {

std::string_view text_or_empty(const char* text) { return text != nullptr ? std::string_view{text} : ""; }

// The one warning that is none: in the C locale libarchive keeps the bytes of a name as they are, and
// says so for each name in a pax header that is not ASCII.
bool is_about_charset(::archive* handle) {
  return text_or_empty(archive_error_string(handle)).find("can't be converted from") !=
         std::string_view::npos;
}

Result<std::uint32_t> checked_id(la_int64_t id, std::string_view what) {
  if (id < 0 || id > UINT32_MAX) return base::invalid(fmt::format("{} {} is out of range", what, id));
  return static_cast<std::uint32_t>(id);
}

Result<TarType> type_of(::archive_entry* entry) {
  if (archive_entry_hardlink(entry) != nullptr) return TarType::HardLink;
  switch (archive_entry_filetype(entry)) {
    case AE_IFREG: return TarType::File;
    case AE_IFDIR: return TarType::Directory;
    case AE_IFLNK: return TarType::Symlink;
    case AE_IFCHR: return TarType::CharDevice;
    case AE_IFBLK: return TarType::BlockDevice;
    case AE_IFIFO: return TarType::Fifo;
    default: return base::invalid(fmt::format("unknown type {:o}", archive_entry_filetype(entry)));
  }
}

}  // namespace

Result<> TarReader::State::describe(TarEntry& out) {
  out.path = text_or_empty(archive_entry_pathname(entry));
  out.type = TRY(type_of(entry));
  out.mode = archive_entry_perm(entry) & 07777U;
  out.uid = TRY(checked_id(archive_entry_uid(entry), "uid"));
  out.gid = TRY(checked_id(archive_entry_gid(entry), "gid"));
  if (archive_entry_size(entry) < 0) return base::invalid("negative size");
  out.size = out.type == TarType::File ? static_cast<std::uint64_t>(archive_entry_size(entry)) : 0;
  out.link_target = out.type == TarType::HardLink  ? text_or_empty(archive_entry_hardlink(entry))
                    : out.type == TarType::Symlink ? text_or_empty(archive_entry_symlink(entry))
                                                   : "";
  const bool device = out.type == TarType::CharDevice || out.type == TarType::BlockDevice;
  out.device_major = device ? static_cast<std::uint32_t>(archive_entry_rdevmajor(entry)) : 0;
  out.device_minor = device ? static_cast<std::uint32_t>(archive_entry_rdevminor(entry)) : 0;
  out.mtime.tv_sec = archive_entry_mtime(entry);
  out.mtime.tv_nsec = std::clamp(archive_entry_mtime_nsec(entry), 0L, 999'999'999L);
  out.xattrs.clear();
  if (archive_entry_xattr_reset(entry) > 0) {
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
      out.xattrs.emplace_back(name, std::string{static_cast<const char*>(value), size});
    }
    std::ranges::sort(out.xattrs);  // libarchive gives the last one first
  }
  return {};
}

TarReader::TarReader(base::ByteSource& source) : state_{std::make_unique<State>(source)} {}
TarReader::~TarReader() = default;

Result<bool> TarReader::next(TarEntry& entry) {
  state_->data.reset();
  ::archive* const handle = state_->handle.get();
  if (!state_->opened) {
    state_->opened = true;
    if (archive_read_open(handle, state_.get(), nullptr, State::read, nullptr) != ARCHIVE_OK) {
      return state_->failure();
    }
  }
  const int status = archive_read_next_header(handle, &state_->entry);
  if (status == ARCHIVE_EOF) return false;
  if (status != ARCHIVE_OK && !(status == ARCHIVE_WARN && is_about_charset(handle))) return state_->failure();
  TRY(state_->describe(entry).context("tar: " +
                                      base::quoted(text_or_empty(archive_entry_pathname(state_->entry)))));
  return true;
}

Result<bool> TarReader::next_block(TarBlock& block) {
  const void* bytes = nullptr;
  std::size_t size = 0;
  la_int64_t offset = 0;
  while (true) {
    const int status = archive_read_data_block(state_->handle.get(), &bytes, &size, &offset);
    if (status == ARCHIVE_EOF) return false;
    if (status != ARCHIVE_OK) return state_->failure();
    if (size == 0) continue;
    block.offset = static_cast<std::uint64_t>(offset);
    block.bytes = {static_cast<const char*>(bytes), size};
    return true;
  }
}

base::ByteSource& TarReader::data() {
  if (!state_->data) {
    const bool file =
        archive_entry_filetype(state_->entry) == AE_IFREG && archive_entry_hardlink(state_->entry) == nullptr;
    const auto size = file ? static_cast<std::uint64_t>(archive_entry_size(state_->entry)) : 0U;
    state_->data = std::make_unique<State::Data>(*this, size);
  }
  return *state_->data;
}

Result<std::size_t> TarReader::State::Data::read(std::span<char> out) {
  if (position_ == size_ || out.empty()) return 0U;
  while (block_.bytes.empty() && !ended_) ended_ = !TRY(reader_.next_block(block_));
  const std::uint64_t hole_end = ended_ ? size_ : std::min(block_.offset, size_);
  std::size_t count = 0;
  if (position_ < hole_end) {
    count = static_cast<std::size_t>(std::min<std::uint64_t>(hole_end - position_, out.size()));
    std::fill_n(out.begin(), count, '\0');
  } else {
    count = static_cast<std::size_t>(
        std::min<std::uint64_t>({size_ - position_, out.size(), block_.bytes.size()}));
    std::copy_n(block_.bytes.begin(), count, out.begin());
    block_.bytes.remove_prefix(count);
    block_.offset += count;
  }
  position_ += count;
  return count;
}

std::string_view name_of(TarType type) {
  switch (type) {
    case TarType::File: return "file";
    case TarType::Directory: return "directory";
    case TarType::Symlink: return "symlink";
    case TarType::HardLink: return "hard link";
    case TarType::CharDevice: return "character device";
    case TarType::BlockDevice: return "block device";
    case TarType::Fifo: return "fifo";
  }
  return "file";
}

}  // namespace codec
