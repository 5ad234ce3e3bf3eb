#include "codec/sha256.h"

#include <algorithm>
#include <array>
#include <vector>

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include "base/strings.h"

namespace codec {

using base::Digest;
using base::Result;

namespace {

constexpr std::size_t kDigestBytes = 32;
constexpr std::size_t kChunk = std::size_t{256} << 10U;

// Looking an algorithm up costs more than hashing a manifest, so it is done once.
const EVP_MD* algorithm() {
  static EVP_MD* const kMethod = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  CAISSON_INVARIANT(kMethod != nullptr);
  return kMethod;
}

Digest to_digest(const std::array<std::uint8_t, kDigestBytes>& bytes) {
  return Digest::sha256(base::to_hex(bytes));
}

}  // namespace

struct Sha256::Context {
  Context() : running{EVP_MD_CTX_new()} { CAISSON_INVARIANT(running != nullptr); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { EVP_MD_CTX_free(running); }
  EVP_MD_CTX* running;
};

Sha256::Sha256() : context_{std::make_unique<Context>()} { reset(); }
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(std::string_view bytes) {
  CAISSON_INVARIANT(EVP_DigestUpdate(context_->running, bytes.data(), bytes.size()) == 1);
}

Digest Sha256::digest() const {
  const Context copy;
  std::array<std::uint8_t, kDigestBytes> out{};
  CAISSON_INVARIANT(EVP_MD_CTX_copy_ex(copy.running, context_->running) == 1);
  CAISSON_INVARIANT(EVP_DigestFinal_ex(copy.running, out.data(), nullptr) == 1);
  return to_digest(out);
}

void Sha256::reset() { CAISSON_INVARIANT(EVP_DigestInit_ex2(context_->running, algorithm(), nullptr) == 1); }

Digest sha256(std::string_view bytes) {
  std::array<std::uint8_t, kDigestBytes> out{};
  CAISSON_INVARIANT(EVP_Digest(bytes.data(), bytes.size(), out.data(), nullptr, algorithm(), nullptr) == 1);
  return to_digest(out);
}

Result<Digest> sha256(base::ByteSource& source) {
  Sha256 hash;
  std::vector<char> buffer(kChunk);
  while (true) {
    const std::size_t count = TRY(source.read(buffer));
    if (count == 0) return hash.digest();
    hash.update({buffer.data(), count});
  }
}

Result<Digest> sha256_of_file(int fd) {
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  Sha256 hash;
  std::vector<char> buffer(kChunk);
  while (true) {
    const auto count = ::read(fd, buffer.data(), buffer.size());
    if (count == 0) return hash.digest();
    if (count < 0) {
      const int saved = errno;
      if (saved == EINTR) continue;
      return base::Error::from_errno(saved, "read");
    }
    hash.update({buffer.data(), static_cast<std::size_t>(count)});
  }
}

Result<std::size_t> HashingSource::read(std::span<char> buffer) {
  const std::size_t count = TRY(source_.read(buffer));
  hash_.update({buffer.data(), count});
  bytes_ += count;
  return count;
}

Result<> HashingSink::write(std::string_view bytes) {
  TRY(sink_.write(bytes));
  hash_.update(bytes);
  bytes_ += bytes.size();
  return {};
}

}  // namespace codec
