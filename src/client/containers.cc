#include "client/containers.h"

#include <array>

#include "base/strings.h"

namespace client {

using base::Result;

namespace {

std::string path_of(const std::string& ref, std::string_view verb) {
  return "/containers/" + http::encode_segment(ref) + std::string{verb};
}

void add_if(http::Query& query, std::string_view name, bool value) {
  if (value) query.add(std::string{name}, "1");
}
void add_if(http::Query& query, std::string_view name, const std::string& value) {
  if (!value.empty()) query.add(std::string{name}, value);
}

ApiCall post(std::string path) { return {.method = "POST", .path = std::move(path)}; }

ApiCall post_size(std::string path, unsigned rows, unsigned columns) {
  ApiCall out = post(std::move(path));
  out.query.add("h", std::to_string(rows));
  out.query.add("w", std::to_string(columns));
  return out;
}

ApiCall post_stop(std::string path, const StopOptions& options) {
  ApiCall out = post(std::move(path));
  add_if(out.query, "signal", options.signal);
  if (options.timeout) out.query.add("t", std::to_string(*options.timeout));
  return out;
}

}  // namespace

Result<spec::api::WaitResponse> PendingWait::get() {
  const std::string rest = TRY(base::read_all(*reply_, 1 << 20).context("wait for the container"));
  buffer_ += rest;
  if (base::trim(buffer_).empty()) return base::unavailable("wait for the container: the daemon went away");
  return codec::from_json_text<spec::api::WaitResponse>(buffer_);
}

Result<std::optional<spec::api::WaitResponse>> PendingWait::check() {
  while (true) {
    std::array<char, 1024> bytes;
    const auto count = TRY(reply_->read_now(bytes).context("wait for the container"));
    if (!count) return std::optional<spec::api::WaitResponse>{};
    if (*count == 0) return std::optional{TRY(get())};
    buffer_.append(bytes.data(), *count);
  }
}

Result<spec::api::CreateContainerResponse> Containers::create(const CreateOptions& options) {
  ApiCall request = post("/containers/create");
  add_if(request.query, "name", options.name);
  add_if(request.query, "platform", options.platform);
  request.body = codec::to_json(options.request);
  return client_.get<spec::api::CreateContainerResponse>(request);
}

Result<std::vector<spec::api::ContainerSummary>> Containers::list(const ListOptions& options) {
  ApiCall request{.path = "/containers/json"};
  add_if(request.query, "all", options.all);
  add_if(request.query, "size", options.size);
  if (options.limit > 0) request.query.add("limit", std::to_string(options.limit));
  add_if(request.query, "filters", encode_filters(options.filters));
  return client_.get<std::vector<spec::api::ContainerSummary>>(request);
}

Result<spec::api::ContainerInspect> Containers::inspect(const std::string& ref, bool size) {
  return codec::from_json<spec::api::ContainerInspect>(TRY(inspect_raw(ref, size)));
}

Result<codec::Json> Containers::inspect_raw(const std::string& ref, bool size) {
  ApiCall request{.path = path_of(ref, "/json")};
  add_if(request.query, "size", size);
  return client_.json(request);
}

Result<> Containers::start(const std::string& ref, const std::string& detach_keys) {
  ApiCall request = post(path_of(ref, "/start"));
  add_if(request.query, "detachKeys", detach_keys);
  return client_.done(request);
}

Result<> Containers::stop(const std::string& ref, const StopOptions& options) {
  return client_.done(post_stop(path_of(ref, "/stop"), options));
}

Result<> Containers::restart(const std::string& ref, const StopOptions& options) {
  return client_.done(post_stop(path_of(ref, "/restart"), options));
}

Result<> Containers::kill(const std::string& ref, const std::string& signal) {
  ApiCall request = post(path_of(ref, "/kill"));
  add_if(request.query, "signal", signal);
  return client_.done(request);
}

Result<> Containers::remove(const std::string& ref, const RemoveOptions& options) {
  ApiCall request{.method = "DELETE", .path = path_of(ref, "")};
  add_if(request.query, "v", options.volumes);
  add_if(request.query, "link", options.link);
  add_if(request.query, "force", options.force);
  return client_.done(request);
}

Result<> Containers::rename(const std::string& ref, const std::string& name) {
  ApiCall request = post(path_of(ref, "/rename"));
  request.query.add("name", name);
  return client_.done(request);
}

Result<spec::api::StringList> Containers::update(const std::string& ref, const spec::api::UpdateRequest& request) {
  ApiCall call{.method = "POST", .path = path_of(ref, "/update")};
  call.body = codec::to_json(request);
  const auto answer = TRY(client_.json(call));
  spec::api::StringList warnings;
  if (const auto* told = answer.find("Warnings"); told != nullptr && told->is_array()) {
    for (const auto& warning : told->as_array()) warnings.push_back(warning.as_string());
  }
  return warnings;
}

Result<> Containers::pause(const std::string& ref) { return client_.done(post(path_of(ref, "/pause"))); }
Result<> Containers::unpause(const std::string& ref) { return client_.done(post(path_of(ref, "/unpause"))); }

Result<> Containers::resize(const std::string& ref, unsigned rows, unsigned columns) {
  return client_.done(post_size(path_of(ref, "/resize"), rows, columns));
}

Result<spec::api::TopResponse> Containers::top(const std::string& ref,
                                               const std::vector<std::string>& ps_args) {
  ApiCall request{.path = path_of(ref, "/top")};
  add_if(request.query, "ps_args", base::join(ps_args, " "));
  return client_.get<spec::api::TopResponse>(request);
}

Result<PendingWait> Containers::wait(const std::string& ref, const std::string& condition) {
  ApiCall request = post(path_of(ref, "/wait"));
  add_if(request.query, "condition", condition);
  return PendingWait{TRY(client_.call(request))};
}

Result<LogStream> Containers::logs(const std::string& ref, const LogsOptions& options) {
  ApiCall request{.path = path_of(ref, "/logs")};
  add_if(request.query, "stdout", options.out);
  add_if(request.query, "stderr", options.err);
  add_if(request.query, "follow", options.follow);
  add_if(request.query, "timestamps", options.timestamps);
  add_if(request.query, "details", options.details);
  add_if(request.query, "since", options.since);
  add_if(request.query, "until", options.until);
  add_if(request.query, "tail", options.tail);
  auto reply = TRY(client_.call(request));
  const auto multiplexed = multiplexed_by(reply->headers());
  return LogStream{std::move(reply), multiplexed};
}

Result<RawStream> Containers::attach(const std::string& ref, const AttachOptions& options) {
  ApiCall request = post(path_of(ref, "/attach"));
  add_if(request.query, "stream", options.stream);
  add_if(request.query, "stdin", options.in);
  add_if(request.query, "stdout", options.out);
  add_if(request.query, "stderr", options.err);
  add_if(request.query, "logs", options.logs);
  add_if(request.query, "detachKeys", options.detach_keys);
  return client_.raw_stream(std::move(request));
}

Result<std::string> Execs::create(const std::string& container, const spec::api::ExecConfig& config) {
  ApiCall request = post(path_of(container, "/exec"));
  request.body = codec::to_json(config);
  return TRY(client_.json(request))["Id"].as_string();
}

Result<> Execs::start_detached(const std::string& id, const spec::api::ExecStartRequest& request) {
  ApiCall call = post("/exec/" + http::encode_segment(id) + "/start");
  call.body = codec::to_json(request);
  return client_.done(call);
}

Result<RawStream> Execs::start(const std::string& id, const spec::api::ExecStartRequest& request) {
  ApiCall call = post("/exec/" + http::encode_segment(id) + "/start");
  call.body = codec::to_json(request);
  return client_.raw_stream(std::move(call));
}

Result<spec::api::ExecInspect> Execs::inspect(const std::string& id) {
  return client_.get<spec::api::ExecInspect>({.path = "/exec/" + http::encode_segment(id) + "/json"});
}

Result<> Execs::resize(const std::string& id, unsigned rows, unsigned columns) {
  return client_.done(post_size("/exec/" + http::encode_segment(id) + "/resize", rows, columns));
}

}  // namespace client
