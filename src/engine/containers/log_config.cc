/// What a container's log driver is told: where, how, and whose lines they are.
#include "base/strings.h"
#include "engine/containers/launch.h"
#include "engine/filters.h"
#include "logs/driver.h"

namespace engine {
namespace {

using spec::api::Labels;
using spec::api::StringList;

const std::string* option(const Record& record, const char* name) {
  const auto found = record.host.log_config.config.find(name);
  return found == record.host.log_config.config.end() || found->second.empty() ? nullptr : &found->second;
}

/// By the options "labels" and "labels-regex", or "env" and "env-regex".
void select(const Record& record, const char* names, const char* pattern, const Labels& from, Labels& into) {
  if (const auto* list = option(record, names)) {
    for (const std::string_view name : base::split_words(*list, ',')) {
      if (const auto found = from.find(std::string{name}); found != from.end()) into.insert(*found);
    }
  }
  const auto* expression = option(record, pattern);
  if (expression == nullptr) return;
  for (const auto& entry : from) {
    if (found_in(*expression, entry.first)) into.insert(entry);
  }
}

Labels environment(const Record& record) {
  Labels out;
  for (const std::string& entry : record.config.env.value_or(StringList{})) {
    if (const auto parts = base::cut(entry, "=")) out[std::string{parts->first}] = parts->second;
  }
  return out;
}

std::string short_id(const std::string& id) {
  constexpr std::string_view algorithm = "sha256:";
  return id.substr(0, 12 + (id.starts_with(algorithm) ? algorithm.size() : 0));
}

/// The fields of docker's tag templates; of Go's language only they.
base::Result<std::string> expand_tag(const Record& record, const std::string& text) {
  const Labels fields{{"ID", short_id(record.id)},
                      {"FullID", record.id},
                      {"Name", record.name},
                      {"ImageID", short_id(record.image_id)},
                      {"ImageFullID", record.image_id},
                      {"ImageName", record.config.image},
                      {"Command", command_text(record.config)},
                      {"DaemonName", "docker"}};
  std::string out;
  std::string_view rest = text;
  while (const auto opened = base::cut(rest, "{{")) {
    out += opened->first;
    const auto closed = base::cut(opened->second, "}}");
    if (!closed) return base::invalid("log opt tag: " + base::quoted(text) + ": unclosed action");
    const std::string_view field = base::trim(closed->first);
    const auto found = field.starts_with('.') ? fields.find(std::string{field.substr(1)}) : fields.end();
    if (found == fields.end()) {
      return base::invalid("log opt tag: " + base::quoted(text) + ": no field " + std::string{field} +
                           "; there are .ID, .FullID, .Name, .ImageID, .ImageFullID, .ImageName, .Command, .DaemonName");
    }
    out += found->second;
    rest = closed->second;
  }
  return out.append(rest);
}

base::Result<std::string> tag_of(const Record& record) {
  const auto* tag = option(record, "tag");
  return tag == nullptr ? base::Result<std::string>{std::string{}} : expand_tag(record, *tag);
}

}  // namespace

logs::Config log_config(const Core& core, const Record& record) {
  const spec::api::LogConfig& asked = record.host.log_config;
  logs::Config config{.driver = asked.type, .options = asked.config};
  const bool json = asked.type.empty() || asked.type == "json-file";
  config.path = json                    ? core.log_path(record.id)
                : asked.type == "local" ? core.local_log_path(record.id)
                                        : core.copied_log_path(record.id);
  select(record, "labels", "labels-regex", record.config.labels.value_or(Labels{}), config.attributes);
  select(record, "env", "env-regex", environment(record), config.attributes);
  const std::string tag = tag_of(record).value_or(std::string{});
  // Files say it only if the user asked for it; what is sent elsewhere has a tag always.
  if (!tag.empty() && (json || asked.type == "local")) config.attributes["tag"] = tag;
  config.origin = {.id = record.id, .name = record.name, .image_id = record.image_id, .image = record.config.image,
                   .command = command_text(record.config), .created = base::to_rfc3339(record.created),
                   .tag = tag.empty() ? short_id(record.id) : tag};
  return config;
}

base::Result<> check_log_config(const Core& core, const Record& record) {
  TRY(tag_of(record));
  return logs::validate(log_config(core, record));
}

}  // namespace engine
