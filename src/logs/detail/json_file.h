#pragma once
/// The json-file driver: docker's format and its rotation.

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "logs/detail/options.h"
#include "logs/driver.h"
#include "sys/fd.h"

namespace logs::detail {

/// Longer lines are cut in partial ones, as docker's copier does.
inline constexpr std::size_t kLineLimit = 16 * 1024;

class JsonFile final : public Driver {
 public:
  static base::Result<std::unique_ptr<Driver>> open(const Config& config);

  base::Result<> write(Stream stream, std::string_view bytes, base::Time time) override;
  base::Result<> end(Stream stream) override;
  [[nodiscard]] std::size_t pending() const override { return out_.size(); }
  [[nodiscard]] std::string_view unfinished(Stream stream) const override {
    return carry_[stream == Stream::Stdout ? 0 : 1];
  }
  [[nodiscard]] bool blocking() const override { return mode_.blocking; }
  [[nodiscard]] std::optional<std::string> take_rotated() override;
  void compressed() override { compressing_ = false; }
  void trim() override;

 private:
  JsonFile(const Config& config, JsonFileOptions options, DeliveryMode mode);

  std::string& carry(Stream stream) { return carry_[stream == Stream::Stdout ? 0 : 1]; }
  /// Makes a line of `text`; `suffix` is what follows it in the object.
  void append(std::string_view text, bool complete, std::string_view suffix);
  base::Result<> make_room();
  base::Result<> open_file();
  base::Result<> flush();

  std::string path_;
  std::string attributes_;  ///< JSON
  JsonFileOptions options_;
  DeliveryMode mode_;

  sys::UniqueFd file_;
  std::uint64_t size_ = 0;
  std::array<std::string, 2> carry_;  ///< the start of a line whose newline has not come yet
  std::string out_;                   ///< lines on their way to the file
  bool compressing_ = false;
  std::optional<std::string> rotated_;
};

}  // namespace logs::detail
