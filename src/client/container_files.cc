#include "client/container_files.h"

#include "base/strings.h"

namespace client {

using base::Result;

namespace {

ApiCall archive_call(const char* method, const std::string& ref, const std::string& path) {
  ApiCall call{.method = method, .path = "/containers/" + http::encode_segment(ref) + "/archive"};
  call.query.add("path", path);
  return call;
}

Result<spec::api::PathStat> stat_in(const http::Headers& headers) {
  const auto text = base::base64_decode(headers.get("X-Docker-Container-Path-Stat"));
  if (!text) return base::invalid("unable to decode container path stat header: illegal base64 data");
  return codec::from_json<spec::api::PathStat>(
      TRY(codec::Json::parse(*text).context("unable to decode container path stat header")));
}

}  // namespace

Result<spec::api::PathStat> ContainerFiles::stat(const std::string& ref, const std::string& path) {
  const auto reply = TRY(client_.call(archive_call("HEAD", ref, path)));
  return stat_in(reply->headers());
}

Result<OutgoingArchive> ContainerFiles::archive(const std::string& ref, const std::string& path) {
  OutgoingArchive archive;
  archive.tar = TRY(client_.call(archive_call("GET", ref, path)));
  archive.stat = TRY(stat_in(archive.tar->headers()).context("unable to get resource stat from response"));
  return archive;
}

Result<std::vector<std::string>> ContainerFiles::expand(const std::string& ref, const std::string& pattern) {
  ApiCall call{.path = "/containers/" + http::encode_segment(ref) + "/archive/paths"};
  call.query.add("pattern", pattern);
  const auto answer = client_.json(call);
  if (answer.failed_as(base::ErrorKind::NotFound) && answer.error().message().ends_with("page not found")) {
    return base::not_implemented("the daemon does not know patterns: only Caisson's does");
  }
  const codec::Json paths = TRY(answer);
  std::vector<std::string> out;
  for (const auto& path : paths.as_array()) out.push_back(path.as_string());
  return out;
}

Result<> ContainerFiles::extract(const std::string& ref, const std::string& path, bool copy_uid_gid,
                                 base::ByteSource& tar) {
  ApiCall call = archive_call("PUT", ref, path);
  call.query.add("noOverwriteDirNonDir", "true");
  if (copy_uid_gid) call.query.add("copyUIDGID", "true");
  call.stream = &tar;
  return client_.done(call);
}

Result<std::unique_ptr<http::Reply>> ContainerFiles::export_tree(const std::string& ref) {
  return client_.call({.path = "/containers/" + http::encode_segment(ref) + "/export"});
}

Result<std::vector<spec::api::FilesystemChange>> ContainerFiles::changes(const std::string& ref) {
  return client_.get<std::vector<spec::api::FilesystemChange>>(
      {.path = "/containers/" + http::encode_segment(ref) + "/changes"});
}

Result<std::string> ContainerFiles::commit(const std::string& ref, const CommitOptions& options) {
  ApiCall call{.method = "POST", .path = "/commit"};
  call.query.add("container", ref);
  call.query.add("repo", options.repository);
  call.query.add("tag", options.tag);
  call.query.add("comment", options.comment);
  call.query.add("author", options.author);
  for (const auto& change : options.changes) call.query.add("changes", change);
  if (!options.pause) call.query.add("pause", "0");
  call.body = codec::Json{};
  const auto answer = TRY(client_.json(call));
  return answer["Id"].as_string();
}

}  // namespace client
