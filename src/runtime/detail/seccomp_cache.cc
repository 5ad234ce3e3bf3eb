#include "runtime/detail/seccomp_cache.h"

#include <array>
#include <cstring>

#include <fmt/format.h>

#include "base/log.h"
#include "sys/file.h"

namespace runtime::detail {

using base::Result;

namespace {

/// Raised when the compiler changes, so that no old program is taken for a new one.
constexpr std::uint32_t kVersion = 1;
/// More different profiles than this on one host are a sign of generated ones: start anew.
constexpr std::size_t kMaxFiles = 256;

struct Header {
  std::array<char, 8> magic{'c', 's', 'n', 'b', 'p', 'f', '1', '\n'};
  std::uint32_t version = kVersion;
  std::uint32_t flags = 0;
  std::uint32_t notifies = 0;
  std::uint32_t section_size = 0;
  std::uint32_t code_size = 0;
  std::uint32_t unused = 0;
  std::uint64_t checksum = 0;  ///< of section and code
};

/// One lane of a multiply-and-shift hash over 8-byte words. Not for adversaries: see the header.
std::uint64_t hash(std::string_view bytes, std::uint64_t seed) {
  std::uint64_t state = seed ^ (bytes.size() * 0x9e3779b97f4a7c15U);
  const auto mix = [&state](std::uint64_t word) {
    state = (state ^ word) * 0xff51afd7ed558ccdU;
    state ^= state >> 32U;
  };
  while (bytes.size() >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    mix(word);
    bytes.remove_prefix(8);
  }
  std::uint64_t rest = 0;
  std::memcpy(&rest, bytes.data(), bytes.size());
  mix(rest);
  mix(0);
  return state;
}

constexpr std::uint64_t kSeedA = 0x6a09e667f3bcc908;
constexpr std::uint64_t kSeedB = 0xbb67ae8584caa73b;

/// Every field with its length before it, so that no two sections have one form.
class Canonical {
 public:
  explicit Canonical(const spec::oci::Seccomp& section) {
    text_.reserve(16 * 1024);
    put(section.default_action);
    put(section.default_errno_ret);
    put(section.architectures);
    put(section.flags);
    number(section.syscalls.size());
    for (const auto& rule : section.syscalls) {
      put(rule.names);
      put(rule.action);
      put(rule.errno_ret);
      number(rule.args.size());
      for (const auto& arg : rule.args) {
        number(arg.index);
        number(arg.value);
        number(arg.value_two);
        put(arg.op);
      }
    }
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void number(std::uint64_t value) { text_.append(reinterpret_cast<const char*>(&value), sizeof value); }
  void put(const std::string& text) {
    number(text.size());
    text_ += text;
  }
  void put(const std::optional<std::uint32_t>& value) { number(value ? *value + std::uint64_t{1} : 0); }
  void put(const std::vector<std::string>& texts) {
    number(texts.size());
    for (const auto& text : texts) put(text);
  }
  std::string text_;
};

std::string pack(const SeccompProgram& program, std::string_view section) {
  Header header;
  header.flags = program.flags;
  header.notifies = program.notifies ? 1 : 0;
  header.section_size = static_cast<std::uint32_t>(section.size());
  header.code_size = static_cast<std::uint32_t>(program.code.size() * sizeof(::sock_filter));
  std::string body{section};
  body.append(reinterpret_cast<const char*>(program.code.data()), header.code_size);
  header.checksum = hash(body, kSeedB);
  return std::string{reinterpret_cast<const char*>(&header), sizeof header} + body;
}

/// nullopt when the text is no whole file of this version.
std::optional<SeccompProgram> unpack(std::string_view text, std::string_view* section) {
  Header header;
  const Header expected;
  if (text.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, text.data(), sizeof header);
  text.remove_prefix(sizeof header);
  const bool whole = header.magic == expected.magic && header.version == kVersion &&
                     header.code_size % sizeof(::sock_filter) == 0 &&
                     text.size() == std::size_t{header.section_size} + header.code_size &&
                     header.checksum == hash(text, kSeedB);
  if (!whole) return std::nullopt;
  if (section != nullptr) *section = text.substr(0, header.section_size);
  SeccompProgram program;
  program.flags = header.flags;
  program.notifies = header.notifies != 0;
  program.code.resize(header.code_size / sizeof(::sock_filter));
  std::memcpy(program.code.data(), text.data() + header.section_size, header.code_size);
  return program;
}

Result<> store(const std::string& directory, const std::string& file, const std::string& text) {
  TRY(sys::make_dirs(sys::kCwd, directory, 0700));
  const auto entries = TRY(sys::list_dir(sys::kCwd, directory));
  if (entries.size() >= kMaxFiles) {
    for (const auto& entry : entries) {
      base::ignore(sys::unlink_at(sys::kCwd, directory + "/" + entry.name), "another process does the same");
    }
  }
  return sys::write_file_atomic(sys::kCwd, file, text, 0600);
}

}  // namespace

Result<CachedProgram> cached_seccomp(const std::string& directory, const spec::oci::Seccomp& section) {
  const Canonical canonical{section};
  const std::string& wanted = canonical.text();
  std::string file = fmt::format("{}/{:016x}{:016x}", directory, hash(wanted, kSeedA), hash(wanted, kSeedB));
  if (const auto text = sys::read_file(sys::kCwd, file)) {
    std::string_view present;
    auto program = unpack(*text, &present);
    if (program && present == wanted) return CachedProgram{std::move(*program), std::move(file)};
  }
  SeccompProgram program = TRY(compile_seccomp(section));
  const auto stored = store(directory, file, pack(program, wanted));
  if (!stored) {
    base::log::debug("seccomp cache: {}", stored.error().message());
    file.clear();
  }
  return CachedProgram{std::move(program), std::move(file)};
}

Result<> write_seccomp(const std::string& path, const SeccompProgram& program) {
  return sys::write_file_atomic(sys::kCwd, path, pack(program, {}), 0600);
}

Result<SeccompProgram> read_seccomp(const std::string& path) {
  const std::string text = TRY(sys::read_file(sys::kCwd, path).context("read the seccomp filter"));
  auto program = unpack(text, nullptr);
  if (!program) return base::internal("the seccomp filter " + path + " is damaged");
  return std::move(*program);
}

}  // namespace runtime::detail
