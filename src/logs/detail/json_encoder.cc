/// The writing side of the driver "json-file".
#include "logs/detail/encoder.h"
#include "logs/detail/line_writer.h"
#include "sys/fd.h"

namespace logs::detail {
namespace {

using base::Result;

class JsonEncoder final : public Encoder {
 public:
  explicit JsonEncoder(const std::map<std::string, std::string>& attributes)
      : attributes_{attributes_json(attributes)} {}

  void begin(Stream stream, base::Time time) override { suffix_ = line_suffix(stream, attributes_, time); }

  void append(std::string& out, std::string_view text, bool complete) override {
    out += R"({"log":")";
    append_escaped(out, text);
    if (complete) out += "\\n";
    out += suffix_;
  }

  Result<std::string> repair(int file, std::uint64_t size) const override {
    char last = '\n';
    TRY(sys::read_at(file, {&last, 1}, size - 1));
    return std::string{last == '\n' ? "" : "\n"};
  }

 private:
  const std::string attributes_;  ///< JSON
  std::string suffix_;            ///< what follows the text in each line's object
};

}  // namespace

std::unique_ptr<Encoder> make_json_encoder(const std::map<std::string, std::string>& attributes) {
  return std::make_unique<JsonEncoder>(attributes);
}

}  // namespace logs::detail
