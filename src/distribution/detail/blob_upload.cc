#include "distribution/detail/blob_upload.h"

#include <utility>

#include "base/strings.h"
#include "distribution/detail/failure.h"
#include "distribution/detail/retry.h"

namespace distribution::detail {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;

constexpr std::size_t kErrorBody = std::size_t{64} << 10U;
/// Up to this much a second request costs more than sending again what got lost.
constexpr std::uint64_t kMonolithic = std::uint64_t{1} << 20U;
/// Less than this between two failures is no progress.
constexpr std::uint64_t kProgress = std::uint64_t{32} << 10U;

class Counted final : public base::ByteSource {
 public:
  Counted(base::ByteSource& inner, std::uint64_t offset, PushObserver* observer)
      : inner_{inner}, bytes_{offset}, observer_{observer} {}
  Result<std::size_t> read(std::span<char> buffer) override {
    const std::size_t count = TRY(inner_.read(buffer));
    bytes_ += count;
    if (observer_ != nullptr) observer_->sent(bytes_);
    return count;
  }

 private:
  base::ByteSource& inner_;
  std::uint64_t bytes_;
  PushObserver* observer_;
};

/// "0-99" → 100; "0-0" is what registries say for one byte and for none: none is the safe answer.
std::optional<std::uint64_t> bytes_until(std::string_view range) {
  if (range.starts_with("bytes=")) range.remove_prefix(6);
  const auto parts = base::cut(range, "-");
  const auto last = parts ? base::parse_uint(base::trim(parts->second)) : std::nullopt;
  if (!last) return std::nullopt;
  return *last == 0 ? 0 : *last + 1;
}

}  // namespace

Result<PushedBlob> BlobUpload::run(const std::vector<std::string>& mount_from) {
  Backoff backoff{options_};
  for (;;) {
    const std::uint64_t before = offset_;
    wanted_delay_.reset();
    auto done = attempt(mount_from);
    if (done) return done;
    Error error = std::move(std::move(done).error()).context("blob " + blob_.digest_text);
    if (!error.is(ErrorKind::Unavailable) || stop_.stop_requested()) return error;
    interrupted_ = !location_.empty();
    if (offset_ >= before + kProgress) backoff.progressed();
    const auto delay = backoff.next(wanted_delay_);
    if (!delay) return error;
    if (observer_ != nullptr) observer_->retrying(std::chrono::ceil<std::chrono::seconds>(*delay), error);
    if (!wait_out(*delay, stop_)) return base::unavailable("context canceled");
  }
}

Result<PushedBlob> BlobUpload::attempt(const std::vector<std::string>& mount_from) {
  if (std::exchange(interrupted_, false)) TRY(locate());
  if (location_.empty()) {
    if (TRY(exists())) return PushedBlob{};
    if (auto from = TRY(begin(mount_from)); !from.empty()) {
      return PushedBlob{PushedBlob::How::Mounted, std::move(from)};
    }
  }
  if (offset_ == 0 && blob_.bytes() <= kMonolithic) {
    const Answer answer = TRY(send_stream("PUT", with_digest(), {}));
    if (answer.response.status != 201) return refusal(answer);
    return PushedBlob{PushedBlob::How::Uploaded, {}};
  }
  if (offset_ < blob_.bytes()) TRY(send_rest());
  TRY(finish());
  return PushedBlob{PushedBlob::How::Uploaded, {}};
}

Result<bool> BlobUpload::exists() {
  const Answer answer = TRY(ask("HEAD", "blobs/" + blob_.digest_text));
  if (answer.response.status == 200) return true;
  // A refusal of this question has no body; that of the next one says why.
  if (const long status = answer.response.status; status == 404 || status == 401 || status == 403) return false;
  return refusal(answer);
}

Result<std::string> BlobUpload::begin(const std::vector<std::string>& mount_from) {
  const std::string mount = "blobs/uploads/?mount=" + escape(blob_.digest_text) + "&from=";
  for (const auto& from : mount_from) {
    const Answer answer = TRY(ask("POST", mount + escape(from)));
    if (answer.response.status == 201) return from;
    // Not mounted, but opened: as good as any other upload.
    if (answer.response.status == 202) {
      TRY(take_location(answer.response));
      return std::string{};
    }
    if (is_transient(answer.response.status)) return refusal(answer);
  }
  const Answer answer = TRY(ask("POST", "blobs/uploads/"));
  if (answer.response.status != 202) return refusal(answer);
  TRY(take_location(answer.response));
  return std::string{};
}

Result<> BlobUpload::locate() {
  const Answer answer = TRY(ask("GET", location_));
  if (is_transient(answer.response.status)) return refusal(answer);
  const auto got = answer.response.status == 204 ? bytes_until(answer.response.header("range")) : std::nullopt;
  if (!got || *got > blob_.bytes()) {
    forget();
    return {};
  }
  if (!answer.response.header("location").empty()) TRY(take_location(answer.response));
  offset_ = *got;
  return {};
}

Result<BlobUpload::Answer> BlobUpload::ask(const std::string& method, const std::string& target,
                                           const std::vector<std::string>& headers, const Payload& payload) {
  Answer answer{TRY(endpoint_.send(method, target, headers, stop_, payload)), {}};
  // At once: what is being sent lives no longer than this call, and the connection is free again.
  answer.body = base::read_all(*answer.response.body, kErrorBody).value_or("");
  answer.response.body.reset();
  return answer;
}

Result<BlobUpload::Answer> BlobUpload::send_stream(const std::string& method, const std::string& url,
                                                   std::vector<std::string> headers) {
  const auto source = TRY(reader_.open(offset_));
  Counted counted{*source, offset_, observer_};
  headers.emplace_back("Content-Type: application/octet-stream");
  return ask(method, url, headers, {.stream = &counted, .size = blob_.bytes() - offset_});
}

Result<> BlobUpload::send_rest() {
  const std::string range = std::to_string(offset_) + "-" + std::to_string(blob_.bytes() - 1);
  const Answer answer = TRY(send_stream("PATCH", location_, {"Content-Range: " + range}));
  if (answer.response.status == 202 || answer.response.status == 204) {
    TRY(take_location(answer.response));
    offset_ = blob_.bytes();
    return {};
  }
  if (answer.response.status == 404 || answer.response.status == 416) {
    // It forgot the upload, or counts otherwise than we do: from the beginning.
    Error error = refusal(answer);
    forget();
    return Error{ErrorKind::Unavailable, error.message()};
  }
  return refusal(answer);
}

Result<> BlobUpload::finish() {
  const Answer answer = TRY(ask("PUT", with_digest()));
  if (answer.response.status != 201) return refusal(answer);
  return {};
}

Result<> BlobUpload::take_location(const Response& response) {
  const std::string location{response.header("location")};
  if (location.empty()) return base::internal("the registry did not say where to upload to");
  location_ = TRY(resolve_url(response.url, location));
  return {};
}

Error BlobUpload::refusal(const Answer& answer) {
  const auto& [response, body] = answer;
  wanted_delay_ = parse_retry_after(response.header("retry-after"));
  Error error = status_failure(response, body);
  // A token that expired while the layers before were sent.
  if (response.status == 401 && !location_.empty() && !std::exchange(token_refreshed_, true)) {
    wanted_delay_ = std::chrono::milliseconds{0};
    return {ErrorKind::Unavailable, error.message()};
  }
  return error;
}

void BlobUpload::forget() {
  location_.clear();
  offset_ = 0;
}

std::string BlobUpload::with_digest() const {
  return location_ + (location_.find('?') == std::string::npos ? "?" : "&") + "digest=" + escape(blob_.digest_text);
}

}  // namespace distribution::detail
