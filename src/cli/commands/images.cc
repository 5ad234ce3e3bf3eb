#include <array>
#include <map>

#include "cli/commands/all.h"
#include "cli/commands/common.h"
#include "cli/format/human.h"
#include "cli/format/image_tree.h"
#include "client/images.h"
#include "flags/units.h"
#include "spec/reference.h"

namespace cli {

using base::Result;

namespace {

struct Line {
  const spec::api::ImageSummary& image;
  bool truncates;
  std::string repository, tag, digest;
};

constexpr std::string_view kNone = "<none>";

std::string human(std::int64_t bytes, int digits) {
  return flags::human_size(static_cast<double>(bytes), digits);
}

std::string unique_size(const Line& line) {
  const auto& image = line.image;
  if (image.size < 0 || image.shared_size < 0) return "N/A";
  return human(image.size - image.shared_size, 4);
}

constexpr std::array kColumns{
    Column<Line>{"Containers", "CONTAINERS",
                 [](const Line& l) {
                   return l.image.containers < 0 ? std::string{"N/A"} : fmt::to_string(l.image.containers);
                 }},
    Column<Line>{"CreatedAt", "CREATED AT", [](const Line& l) { return local_time(l.image.created); }},
    Column<Line>{"CreatedSince", "CREATED", [](const Line& l) { return ago(l.image.created); }},
    Column<Line>{"Digest", "DIGEST", [](const Line& l) { return l.digest; }},
    Column<Line>{"ID", "IMAGE ID",
                 [](const Line& l) { return l.truncates ? short_id(l.image.id) : l.image.id; }},
    Column<Line>{"Repository", "REPOSITORY", [](const Line& l) { return l.repository; }},
    Column<Line>{"SharedSize", "SHARED SIZE",
                 [](const Line& l) {
                   return l.image.shared_size < 0 ? std::string{"N/A"} : human(l.image.shared_size, 4);
                 }},
    Column<Line>{"Size", "SIZE", [](const Line& l) { return human(l.image.size, 3); }},
    Column<Line>{"Tag", "TAG", [](const Line& l) { return l.tag; }},
    Column<Line>{"UniqueSize", "UNIQUE SIZE", unique_size},
    Column<Line>{"VirtualSize", "SIZE",
                 [](const Line& l) { return human(l.image.virtual_size.value_or(l.image.size), 4); }},
};

constexpr std::string_view kTable =
    "{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{if .CreatedSince}}{{.CreatedSince}}{{else}}N/A{{end}}\t{{.Size}}";
constexpr std::string_view kTableWithDigests =
    "{{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t"
    "{{if .CreatedSince}}{{.CreatedSince}}{{else}}N/A{{end}}\t{{.Size}}";
constexpr std::string_view kRaw =
    "repository: {{ .Repository }}\ntag: {{.Tag}}\nimage_id: {{.ID}}\ncreated_at: {{.CreatedAt}}\n"
    "virtual_size: {{.Size}}\n";
constexpr std::string_view kRawWithDigests =
    "repository: {{ .Repository }}\ntag: {{.Tag}}\ndigest: {{.Digest}}\nimage_id: {{.ID}}\n"
    "created_at: {{.CreatedAt}}\nvirtual_size: {{.Size}}\n";

/// One line per tag; a digest has a line of its own only where its repository has no tag.
void add_lines(std::vector<Line>& out, const spec::api::ImageSummary& image, bool truncates, bool digests) {
  std::vector<std::string> order;
  std::map<std::string, std::vector<std::string>> tags;
  std::map<std::string, std::vector<std::string>> digests_of;
  for (const auto& text : image.repo_tags) {
    const auto reference = spec::Reference::parse(text);
    if (!reference || reference->tag().empty()) continue;
    const std::string name = reference->familiar_name();
    if (!tags.contains(name)) order.push_back(name);
    tags[name].push_back(reference->tag());
  }
  for (const auto& text : image.repo_digests) {
    const auto reference = spec::Reference::parse(text);
    if (reference && !reference->digest().empty()) {
      digests_of[reference->familiar_name()].push_back(reference->digest().str());
    }
  }
  const std::size_t before = out.size();
  for (const auto& name : order) {
    auto own = digests_of.extract(name);
    for (const auto& tag : tags[name]) {
      if (!digests || own.empty()) {
        out.push_back({image, truncates, name, tag, std::string{kNone}});
        continue;
      }
      for (const auto& digest : own.mapped()) out.push_back({image, truncates, name, tag, digest});
    }
  }
  for (const auto& [name, values] : digests_of) {
    if (!digests) {
      out.push_back({image, truncates, name, std::string{kNone}, ""});
      continue;
    }
    for (const auto& digest : values) out.push_back({image, truncates, name, std::string{kNone}, digest});
  }
  if (out.size() == before) {
    out.push_back({image, truncates, std::string{kNone}, std::string{kNone}, std::string{kNone}});
  }
}

class Images final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("all", all_);
    flags("digests", digests_);
    flags("filter", flags::custom<add_filter>(filters_, "filter"));
    flags("format", format_);
    flags("no-trunc", whole_);
    flags("quiet", quiet_);
    flags("tree", tree_);
  }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    client::Client& client = *TRY(cli.client());
    if (!invocation.arguments.empty()) filters_["reference"].push_back(invocation.arguments[0]);
    if (tree_) return show_tree(cli, client);
    const auto images = TRY(client::Images{client}.list(all_, filters_));
    const ListingStyle style{.table = digests_ ? kTableWithDigests : kTable,
                             .raw = digests_ ? kRawWithDigests : kRaw,
                             .quiet = "{{.ID}}",
                             .type = "*formatter.imageContext"};
    const auto format = resolve_format(format_or_config(cli, format_, "imagesFormat", quiet_), style, quiet_);
    const bool digests = digests_ || format.text.find(".Digest") != std::string::npos;
    std::vector<Line> lines;
    for (const auto& image : images) add_lines(lines, image, !whole_, digests);
    TRY(print_items<Line>(cli.out(), format, style, kColumns, lines));
    return 0;
  }

 private:
  Result<int> show_tree(Cli& cli, client::Client& client) const {
    if (whole_) return base::invalid("--no-trunc is not yet supported with --tree");
    if (digests_) return base::invalid("--show-digest is not yet supported with --tree");
    if (quiet_) return base::invalid("--quiet is not yet supported with --tree");
    if (!format_.empty()) return base::invalid("--format is not yet supported with --tree");
    const auto images = TRY(client::Images{client}.list(all_, filters_, true));
    cli.out().write(image_tree(images, cli.out().columns(), all_));
    return 0;
  }

  bool all_ = false, digests_ = false, whole_ = false, quiet_ = false, tree_ = false;
  std::string format_;
  client::Filters filters_;
};

}  // namespace

std::unique_ptr<Command> make_images() { return std::make_unique<Images>(); }

}  // namespace cli
