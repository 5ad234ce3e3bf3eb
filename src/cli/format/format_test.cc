#include <array>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "cli/format/human.h"
#include "cli/format/listing.h"
#include "cli/format/natural_order.h"
#include "cli/format/tab_writer.h"
#include "sys/fd.h"

namespace cli {
namespace {

TEST(Tabs, AlignEachBlockOfCells) {
  EXPECT_EQ(align_tabs("a\tb\tc\nlong cell here\tx\ty\n"),
            "a                b         c\nlong cell here   x         y\n");
  // A line without the cell ends the column's block.
  EXPECT_EQ(align_tabs("aaaaaaaaaaaa\tb\nplain\nc\td\n"), "aaaaaaaaaaaa   b\nplain\nc         d\n");
  EXPECT_EQ(align_tabs("no tabs"), "no tabs");
  EXPECT_EQ(align_tabs("é…\tx\n"), "é…        x\n");
}

TEST(Ellipsis, CutsByCharacters) {
  EXPECT_EQ(ellipsis("short", 20), "short");
  EXPECT_EQ(ellipsis("/docker-entrypoint.sh nginx", 20), "/docker-entrypoint.…");
  EXPECT_EQ(ellipsis("ééééé", 3), "éé…");
  EXPECT_EQ(ellipsis("abc", 0), "");
}

TEST(Ports, AreJoinedToRanges) {
  using Port = spec::api::PortSummary;
  EXPECT_EQ(port_list({}), "");
  EXPECT_EQ(port_list({Port{"0.0.0.0", 80, 8080, "tcp"}}), "0.0.0.0:8080->80/tcp");
  EXPECT_EQ(port_list({Port{"", 444, 0, "tcp"}, Port{"", 443, 0, "tcp"}, Port{"", 446, 0, "tcp"}}),
            "443-444/tcp, 446/tcp");
  EXPECT_EQ(port_list({Port{"::", 90, 90, "udp"}, Port{"::", 91, 91, "udp"}}), "[::]:90-91->90-91/udp");
}

TEST(Ids, AreShortened) {
  EXPECT_EQ(short_id("sha256:0123456789abcdef"), "0123456789ab");
  EXPECT_EQ(short_id("0123456789abcdef"), "0123456789ab");
  EXPECT_EQ(short_id(""), "");
}

struct Fruit {
  std::string name, colour;
  [[nodiscard]] std::string label(std::string_view key) const { return key == "k" ? "v" : ""; }
};

constexpr std::array kColumns{
    Column<Fruit>{"Colour", "COLOUR", [](const Fruit& f) { return f.colour; }},
    Column<Fruit>{"Name", "FRUIT NAME", [](const Fruit& f) { return f.name; }},
};
constexpr ListingStyle kStyle{.table = "{{.Name}}\t{{.Colour}}",
                              .raw = "name: {{.Name}}\n",
                              .quiet = "{{.Name}}",
                              .type = "*test.fruit"};

std::string listing(std::string_view format, bool quiet = false, std::string* failure = nullptr) {
  auto pipe = sys::make_pipe();
  EXPECT_TRUE(pipe);
  Output out{pipe->write.get()};
  const auto done = print_items<Fruit>(out, resolve_format(format, kStyle, quiet), kStyle, kColumns,
                                       std::vector<Fruit>{{"apple", "red"}, {"fig", "<blue>"}});
  if (failure != nullptr && !done) *failure = done.error().message();
  pipe->write.reset();
  return *sys::read_to_end(pipe->read.get());
}

TEST(Listing, HasDockersForms) {
  EXPECT_EQ(listing(""), "FRUIT NAME   COLOUR\napple        red\nfig          <blue>\n");
  EXPECT_EQ(listing("table"), listing(""));
  EXPECT_EQ(listing("", true), "apple\nfig\n");
  EXPECT_EQ(listing("{{.Name}}-{{.Label \"k\"}}"), "apple-v\nfig-v\n");
  EXPECT_EQ(listing("table {{.Colour}}\\t{{upper .Name}}\\t{{.Label \"a.b-c\"}}"),
            "COLOUR    FRUIT NAME   b c\nred       APPLE        \n<blue>    FIG          \n");
  EXPECT_EQ(
      listing("json"),
      "{\"Colour\":\"red\",\"Name\":\"apple\"}\n{\"Colour\":\"\\u003cblue\\u003e\",\"Name\":\"fig\"}\n");
  EXPECT_EQ(listing("raw"), "name: apple\n\nname: fig\n\n");
}

TEST(Listing, SaysWhatIsWrongWithATemplate) {
  std::string failure;
  listing("{{.Nope}}", false, &failure);
  EXPECT_EQ(
      failure,
      "failed to execute template: template: :1:2: executing \"\" at <.Nope>: can't evaluate field Nope in "
      "type *test.fruit");
  listing("{{.Name", false, &failure);
  EXPECT_EQ(failure, "failed to parse template: template: :1: unclosed action");
}

TEST(NaturalOrder, RunsOfDigitsAreNumbers) {
  for (const auto& [less, more] : std::vector<std::pair<const char*, const char*>>{
           {"a", "b"}, {"", "a"}, {"web2", "web10"}, {"a1b", "a1c"}, {"a", "a0"}, {"a01", "a2"},
           {"a1", "a01"}, {"1", "a"}, {"a9", "aa"}, {"x99999999999999999998", "x99999999999999999999"}}) {
    EXPECT_TRUE(natural_less(less, more)) << less << " " << more;
    EXPECT_FALSE(natural_less(more, less)) << less << " " << more;
  }
  EXPECT_FALSE(natural_less("a1", "a1"));
}

}  // namespace
}  // namespace cli
