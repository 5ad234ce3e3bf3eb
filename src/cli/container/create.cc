#include "cli/container/create.h"

#include <algorithm>

#include <unistd.h>

#include <fmt/format.h>

#include "base/strings.h"
#include "cli/container/environment.h"
#include "cli/pull.h"
#include "spec/reference.h"
#include "sys/fd.h"
#include "sys/file.h"
#include "sys/pty.h"

namespace cli {

using base::Result;

namespace {

/// The file of --cidfile: it must not be there yet, and goes again unless an id is written.
class IdFile {
 public:
  static Result<IdFile> open(const std::string& path) {
    IdFile out;
    if (path.empty()) return out;
    const bool there = TRY(sys::exists(sys::kCwd, path).context("failed to create the container ID file"));
    if (there) {
      return base::conflict(fmt::format(
          "container ID file found, make sure the other container isn't running or delete {}", path));
    }
    auto fd = sys::open_at(sys::kCwd, path, O_WRONLY | O_CREAT | O_EXCL, 0666);
    if (!fd) return open_failure(path, fd.error()).context("failed to create the container ID file");
    out.path_ = path;
    out.fd_ = std::move(*fd);
    return out;
  }
  IdFile(IdFile&&) = default;
  IdFile& operator=(IdFile&&) = delete;
  ~IdFile() {
    if (fd_ && !written_) base::ignore(sys::unlink_at(sys::kCwd, path_), "nothing can be done about it");
  }

  Result<> write(const std::string& id) {
    if (!fd_) return {};
    TRY(sys::write_all(fd_.get(), id).context("failed to write the container ID to the file"));
    written_ = true;
    return {};
  }

 private:
  IdFile() = default;
  std::string path_;
  sys::UniqueFd fd_;
  bool written_ = false;
};

Result<> check_platform(const std::string& platform) {
  const auto bad = [&](std::string_view why) {
    return base::invalid(fmt::format("error parsing specified platform: {}", why));
  };
  if (platform.empty()) return {};
  const auto parts = base::split(platform, '/');
  if (parts.size() > 3) {
    return bad(base::quoted(platform) + ": cannot parse platform specifier: invalid argument");
  }
  for (const auto part : parts) {
    const bool fine = !part.empty() && std::ranges::all_of(part, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             std::string_view{"_.-()"}.find(c) != std::string_view::npos;
    });
    if (!fine) {
      return bad(
          fmt::format("{} is an invalid component of {}: platform specifier component must match "
                      "\"^[A-Za-z0-9_.-]+$\": invalid argument",
                      base::quoted(part), base::quoted(platform)));
    }
  }
  return {};
}

/// nullopt: an id, which can't be pulled.
Result<std::optional<spec::Reference>> pullable(const std::string& image) {
  using Answer = std::optional<spec::Reference>;
  if (spec::is_image_id(image)) return Answer{};
  if (base::Digest::parse(image)) return Answer{};
  const auto reference = TRY(spec::Reference::parse(image));
  return Answer{reference.with_default_tag()};
}

}  // namespace

void add_proxies(Cli& cli, client::Client& client, std::vector<std::string>& env) {
  for (const auto& [name, value] : cli.config().proxy_environment(client.host())) {
    const bool given = std::ranges::any_of(env, [&](std::string_view variable) {
      return variable.substr(0, variable.find('=')) == name;
    });
    if (!given) env.push_back(fmt::format("{}={}", name, value));
  }
}

void CreateFlags::bind(FlagBinder& flags) {
  flags("pull", pull);
  flags("quiet", quiet);
}

Result<> CreateFlags::check() const {
  if (pull == "always" || pull == "missing" || pull == "never" || pull.empty()) return {};
  return base::invalid(
      fmt::format("invalid pull option: '{}': must be one of \"always\", \"missing\" or \"never\"", pull));
}

Result<std::string> create_container(Cli& cli, client::Client& client, const CreateFlags& flags,
                                     const ContainerOptions& options,
                                     spec::api::CreateContainerRequest request) {
  auto id_file = TRY(IdFile::open(options.container_id_file));
  const auto reference = TRY(pullable(request.config.image));
  TRY(check_platform(options.platform));
  const auto pull = [&]() -> Result<> {
    return pull_image(cli, client, {*reference, options.platform, flags.quiet}, cli.err());
  };
  if (flags.pull == "always" && reference) TRY(pull());
  if (cli.out().is_terminal()) {
    if (const auto size = sys::window_size(cli.out().fd()))
      request.host_config.console_size = {size->rows, size->columns};
  }
  client::CreateOptions create{options.name, options.platform, std::move(request)};
  auto response = client::Containers{client}.create(create);
  if (response.failed_as(base::ErrorKind::NotFound) && reference &&
      (flags.pull == "missing" || flags.pull.empty())) {
    if (!flags.quiet) cli.err().line("Unable to find image '{}' locally", reference->familiar());
    TRY(pull());
    response = client::Containers{client}.create(create);
  }
  const auto created = TRY(std::move(response));
  for (const auto& warning : created.warnings) cli.err().line("WARNING: {}", warning);
  TRY(id_file.write(created.id));
  return created.id;
}

}  // namespace cli
