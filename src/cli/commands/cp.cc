#include <fmt/format.h>

#include "base/strings.h"
#include "cli/commands/all.h"
#include "cli/commands/common.h"
#include "cli/copy/patterns.h"
#include "cli/copy/places.h"
#include "cli/copy/transfer.h"
#include "cli/progress/meter.h"
#include "client/container_files.h"
#include "flags/units.h"
#include "spec/engine/archive.h"
#include "sys/fd_stream.h"

namespace cli {

using base::Result;
using copy::Place;

namespace {

std::string size_text(std::uint64_t bytes) { return flags::human_size(static_cast<double>(bytes), 3); }

bool is(const spec::api::PathStat& stat, std::uint32_t kind) { return (stat.mode & kind) != 0; }

/// What a link in the container leads to: absolute, or from the folder of the link.
std::string target_of(const spec::api::PathStat& link, const std::string& path) {
  if (link.link_target.starts_with('/')) return link.link_target;
  return copy::join(copy::split(path).folder, link.link_target);
}

class Cp final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("archive", archive_);
    flags("follow-link", follow_link_);
    flags("quiet", quiet_);
  }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    if (invocation.arguments[0].empty()) return base::invalid("source can not be empty");
    if (invocation.arguments[1].empty()) return base::invalid("destination can not be empty");
    if (!invocation.flags.changed("quiet")) quiet_ = !cli.out().is_terminal();
    const auto source = copy::parse_argument(invocation.arguments[0]);
    const auto destination = copy::parse_argument(invocation.arguments[1]);
    if (!source.container.empty() && !destination.container.empty()) {
      return base::invalid("copying between containers is not supported");
    }
    if (source.container.empty() && destination.container.empty()) {
      return base::invalid("must specify at least one container source");
    }
    client::ContainerFiles files{*TRY(cli.client())};
    if (!source.container.empty()) {
      const auto paths = TRY(copy::matching_in_container(files, source));
      TRY(check_target_of_many(paths, destination.path == "-" ? Result<bool>{false}
                                                              : copy::is_local_directory(destination.path)));
      for (const auto& path : paths) TRY(from_container(cli, files, {source.container, path}, destination.path));
    } else {
      const auto paths = TRY(copy::matching_here(source.path));
      if (paths.size() > 1) {
        const auto stat = files.stat(destination.container, destination.path + "/.");
        TRY(check_target_of_many(paths, stat && is(*stat, spec::api::go_mode::kDirectory)));
      }
      for (const auto& path : paths) TRY(to_container(cli, files, path, destination));
    }
    return 0;
  }

 private:
  /// Several files go into a directory that is there, each under its own name.
  static Result<> check_target_of_many(const std::vector<std::string>& paths, const Result<bool>& is_directory) {
    if (paths.size() == 1 || TRY(is_directory)) return {};
    return base::invalid(
        fmt::format("the source matches {} paths: the destination must be a directory that is there", paths.size()));
  }

  Result<> from_container(Cli& cli, client::ContainerFiles& files, const copy::Argument& source, std::string target) {
    if (target != "-") target = TRY(copy::absolute(target));
    TRY(copy::check_output(target));
    Place from{.path = source.path, .exists = true};
    if (follow_link_) {
      const auto stat = files.stat(source.container, source.path);
      if (stat && is(*stat, spec::api::go_mode::kSymlink)) {
        from = copy::follow(source.path, target_of(*stat, source.path));
      }
    }
    const auto archive = TRY(files.archive(source.container, from.path));
    if (target == "-") {
      sys::FdSink sink{TRY(sys::duplicate(cli.out().fd()))};
      TRY(base::copy(*archive.tar, sink));
      return {};
    }
    from.directory = is(archive.stat, spec::api::go_mode::kDirectory);
    const Place to = TRY(copy::local_destination(target));
    const auto plan = TRY(plan_from_container(from, to));
    Meter meter{cli.err(), "Copying from container"};
    const auto bytes = copy::unpack(*archive.tar, plan, [&](std::uint64_t so_far) {
      if (!quiet_) meter.show(so_far);
    });
    meter.clear();
    if (!bytes) return base::Error{bytes.error()};
    if (!quiet_) cli.err().line("Successfully copied {} to {}", size_text(*bytes), target);
    return {};
  }

  /// The daemon names the entries by the path that it was asked for, whatever that was a link's target of.
  static Result<copy::Plan> plan_from_container(Place from, const Place& to) {
    const std::string asked = copy::split(from.path).base;
    auto plan = TRY(copy::plan(from, to));
    if (from.rebase_name.empty()) return plan;
    if (!plan.rename) {
      plan.rename = {asked, from.rebase_name};
    } else {
      plan.rename->first = asked;
    }
    return plan;
  }

  Result<> to_container(Cli& cli, client::ContainerFiles& files, const std::string& source,
                        const copy::Argument& target) {
    const std::string path = source == "-" ? source : TRY(copy::absolute(source));
    Place to{.path = target.path};
    auto stat = files.stat(target.container, target.path);
    if (stat && is(*stat, spec::api::go_mode::kSymlink)) {
      to.path = target_of(*stat, target.path);
      stat = files.stat(target.container, to.path);
    }
    if (stat) {
      TRY(copy::check_output_mode(stat->mode)
              .context(fmt::format("destination \"{}:{}\" must be a directory or a regular file", target.container,
                                   target.path)));
      to.exists = true;
      to.directory = is(*stat, spec::api::go_mode::kDirectory);
    }
    if (path == "-") {
      if (!to.directory) {
        return base::invalid(
            fmt::format("destination \"{}:{}\" must be a directory", target.container, target.path));
      }
      sys::FdSource input{TRY(sys::duplicate(0))};
      return files.extract(target.container, to.path, archive_, input);
    }
    const Place from = TRY(copy::local_source(path, follow_link_));
    const auto plan = TRY(copy::plan(from, to));
    Meter meter{cli.err(), "Copying to container"};
    const auto show = [&](std::uint64_t so_far) {
      if (!quiet_) meter.show(so_far);
    };
    const auto bytes = copy::pack(from, plan, show, [&](base::ByteSource& tar) {
      return files.extract(target.container, plan.folder, archive_, tar);
    });
    meter.clear();
    if (!bytes) return base::Error{bytes.error()};
    if (!quiet_) {
      cli.err().line("Successfully copied {} to {}:{}", size_text(*bytes), target.container, to.path);
    }
    return {};
  }

  bool archive_ = false, follow_link_ = false, quiet_ = false;
};

}  // namespace

std::unique_ptr<Command> make_cp() { return std::make_unique<Cp>(); }

}  // namespace cli
