#pragma once
/// The drivers that keep files, json-file and local: their lines in a file that is rotated.

#include <memory>
#include <optional>
#include <string>

#include "logs/detail/encoder.h"
#include "logs/detail/options.h"
#include "logs/driver.h"
#include "logs/line_splitter.h"
#include "sys/fd.h"

namespace logs::detail {

class LogFile final : public Driver {
 public:
  static base::Result<std::unique_ptr<Driver>> open(const std::string& path, std::unique_ptr<Encoder> encoder,
                                                    const RotationOptions& options, const DeliveryMode& mode);

  base::Result<> write(Stream stream, std::string_view bytes, base::Time time) override;
  base::Result<> end(Stream stream) override;
  [[nodiscard]] std::size_t pending() const override { return out_.size(); }
  [[nodiscard]] std::string_view unfinished(Stream stream) const override { return lines_.unfinished(stream); }
  [[nodiscard]] bool blocking() const override { return mode_.blocking; }
  [[nodiscard]] std::optional<std::string> take_rotated() override;
  void compressed() override { compressing_ = false; }
  void trim() override;

 private:
  LogFile(std::string path, std::unique_ptr<Encoder> encoder, const RotationOptions& options, const DeliveryMode& mode)
      : path_{std::move(path)}, encoder_{std::move(encoder)}, options_{options}, mode_{mode} {}

  base::Result<> make_room();
  base::Result<> open_file();
  base::Result<> flush();

  const std::string path_;
  const std::unique_ptr<Encoder> encoder_;
  const RotationOptions options_;
  const DeliveryMode mode_;

  sys::UniqueFd file_;
  std::uint64_t size_ = 0;
  LineSplitter lines_;
  std::string out_;  ///< lines on their way to the file
  bool compressing_ = false;
  std::optional<std::string> rotated_;
};

}  // namespace logs::detail
