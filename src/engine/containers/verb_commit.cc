#include "base/log.h"
#include "base/scope_guard.h"
#include "base/strings.h"
#include "engine/commit_changes.h"
#include "engine/config_merge.h"
#include "engine/containers/changes.h"
#include "engine/containers/verbs.h"
#include "engine/containers_service.h"
#include "engine/image_budget.h"
#include "spec/reference.h"

namespace engine {
namespace {

base::Result<std::optional<spec::Reference>> name_of(const CommitOptions& options) {
  if (options.repository.empty()) return std::optional<spec::Reference>{};
  const auto name = TRY(spec::Reference::parse(options.repository, options.tag));
  if (!name.digest().empty()) return base::invalid("refusing to create a tag with a digest reference");
  return std::optional{name.with_default_tag()};
}

}  // namespace

base::Result<std::string> commit(Core& core, const ContainerPtr& container, const CommitOptions& options) {
  const auto before = container->record();
  if (before->state == State::Dead) return base::conflict("You cannot commit container " + before->id + " which is Dead");
  if (before->state == State::Removing) {
    return base::conflict("You cannot commit container " + before->id + " which is being removed");
  }
  image::CommitRequest request{.config = options.config, .author = options.author, .comment = options.comment};
  request.name = TRY(name_of(options));
  TRY(apply_changes(request.config, options.changes));
  TRY(merge_image_config(request.config, before->config));
  request.parent = TRY(base::Digest::parse(before->image_id));
  request.created_by = base::join(before->config.cmd.value_or(spec::api::StringList{}), " ");

  // One that does not run is kept from starting; one that runs stands still, unless that was not wanted.
  std::unique_lock verb{container->verbs};
  bool paused = false;
  if (has_process(container->state())) {
    verb.unlock();
    if (options.pause && container->state() == State::Running) {
      const auto done = pause(core, container);
      // It has ended, or somebody else paused it: what is wanted either way.
      if (!done && !done.error().is(base::ErrorKind::Conflict)) return base::Error{done.error()};
      paused = done.has_value();
    }
  } else if (container->removed()) {
    return base::not_found("No such container: " + before->id);
  }
  base::ScopeGuard resume{[&] {
    if (!paused) return;
    if (const auto done = unpause(core, container); !done) {
      base::log::warn("container {} was paused for a commit: {}", before->id, done.error().message());
    }
  }};
  const auto id = TRY(core.images.commit(request, [&](base::ByteSink& tar) -> base::Result<bool> {
    const Changes changes = TRY(changes_of(core, *before));
    if (changes.all.empty()) return false;
    TRY(layer::write_diff(core.snapshots, before->id, tar, changes.mount_places));
    return true;
  }));
  keep_image_budget(core.images, ContainerAnswers{core}, core.events, static_cast<std::uint64_t>(core.options.image_budget), id);
  publish(core, *before, "commit",
          {{"comment", options.comment}, {"imageID", id.str()}, {"imageRef", request.name ? request.name->familiar() : ""}});
  return id.str();
}

}  // namespace engine
