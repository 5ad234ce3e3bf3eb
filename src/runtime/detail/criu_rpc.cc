#include "runtime/detail/criu_rpc.h"

#include <protozero/pbf_builder.hpp>
#include <protozero/pbf_message.hpp>

#include <fmt/format.h>

namespace runtime::detail::criu {

using base::Result;

namespace {

// Field numbers of rpc.proto. A number once given never changes its meaning there.
enum class Req : protozero::pbf_tag_type { Type = 1, Opts = 2, NotifySuccess = 3, KeepOpen = 4, Features = 5 };
enum class Resp : protozero::pbf_tag_type {
  Type = 1,
  Success = 2,
  Restore = 4,
  Notify = 5,
  CrErrno = 7,
  Features = 8,
  CrErrmsg = 9,
  Version = 10,
};
enum class Opt : protozero::pbf_tag_type {
  ImagesDirFd = 1,
  Pid = 2,
  LeaveRunning = 3,
  ExtUnixSk = 4,
  TcpEstablished = 5,
  EvasiveDevices = 6,
  ShellJob = 7,
  FileLocks = 8,
  LogLevel = 9,
  LogFile = 10,
  PageServer = 11,
  NotifyScripts = 12,
  Root = 13,
  ParentImg = 14,
  TrackMem = 15,
  AutoDedup = 16,
  WorkDirFd = 17,
  LinkRemap = 18,
  ExtMnt = 23,
  CgRoot = 25,
  RstSibling = 26,
  InheritFd = 27,
  ManageCgroupsMode = 34,
  External = 37,
  EmptyNs = 38,
  JoinNs = 39,
  FreezeCgroup = 44,
  TcpSkipInFlight = 46,
  LazyPages = 48,
  OrphanPtsMaster = 50,
  ConfigFile = 51,
  LsmProfile = 53,
  LsmMountContext = 63,
  NetworkLock = 64,
};
/// The messages of two fields: criu_page_server_info, ext_mount_map, cgroup_root, inherit_fd,
/// join_namespace, criu_features, criu_notify, criu_restore_resp; criu_version has a third.
enum class Part : protozero::pbf_tag_type { First = 1, Second = 2, Sublevel = 4 };

/// Fields are told apart by number and wire type at once: one of another type is an unknown field.
template <class Tag>
constexpr std::uint32_t number(Tag tag) {
  return protozero::tag_and_type(tag, protozero::pbf_wire_type::varint);
}
template <class Tag>
constexpr std::uint32_t bytes(Tag tag) {
  return protozero::tag_and_type(tag, protozero::pbf_wire_type::length_delimited);
}

using Builder = protozero::pbf_builder<Opt>;

void add_flag(Builder& out, Opt field, bool value) {
  if (value) out.add_bool(field, true);
}
void add_text(Builder& out, Opt field, const std::string& text) {
  if (!text.empty()) out.add_string(field, text);
}
void add_texts(Builder& out, Opt field, const std::string& first, const std::string& second) {
  protozero::pbf_builder<Part> part{out, field};
  part.add_string(Part::First, first);
  part.add_string(Part::Second, second);
}

void add_lists(Builder& out, const Options& opts) {
  for (const auto& one : opts.ext_mnt) add_texts(out, Opt::ExtMnt, one.key, one.value);
  for (const auto& one : opts.cg_root) add_texts(out, Opt::CgRoot, one.controller, one.path);
  for (const auto& one : opts.join_ns) add_texts(out, Opt::JoinNs, one.type, one.path);
  for (const auto& one : opts.external) out.add_string(Opt::External, one);
  for (const auto& one : opts.inherit_fd) {
    protozero::pbf_builder<Part> part{out, Opt::InheritFd};
    part.add_string(Part::First, one.key);
    part.add_int32(Part::Second, one.fd);
  }
  if (opts.page_server_port != 0) {
    protozero::pbf_builder<Part> part{out, Opt::PageServer};
    part.add_string(Part::First, opts.page_server_address);
    part.add_int32(Part::Second, opts.page_server_port);
  }
}

void add_options(Builder out, const Options& opts) {
  out.add_int32(Opt::ImagesDirFd, opts.images_dir_fd);
  if (opts.work_dir_fd >= 0) out.add_int32(Opt::WorkDirFd, opts.work_dir_fd);
  if (opts.pid != 0) out.add_int32(Opt::Pid, opts.pid);
  out.add_int32(Opt::LogLevel, opts.log_level);
  add_text(out, Opt::LogFile, opts.log_file);
  add_text(out, Opt::Root, opts.root);
  add_text(out, Opt::ParentImg, opts.parent_img);
  add_text(out, Opt::FreezeCgroup, opts.freeze_cgroup);
  add_text(out, Opt::ConfigFile, opts.config_file);
  add_text(out, Opt::LsmProfile, opts.lsm_profile);
  add_text(out, Opt::LsmMountContext, opts.lsm_mount_context);
  if (opts.empty_ns != 0) out.add_uint32(Opt::EmptyNs, opts.empty_ns);
  if (opts.manage_cgroups_mode) {
    out.add_enum(Opt::ManageCgroupsMode, static_cast<std::int32_t>(*opts.manage_cgroups_mode));
  }
  if (opts.network_lock) out.add_enum(Opt::NetworkLock, static_cast<std::int32_t>(*opts.network_lock));
  add_flag(out, Opt::LeaveRunning, opts.leave_running);
  add_flag(out, Opt::ExtUnixSk, opts.ext_unix_sk);
  add_flag(out, Opt::TcpEstablished, opts.tcp_established);
  add_flag(out, Opt::TcpSkipInFlight, opts.tcp_skip_in_flight);
  add_flag(out, Opt::EvasiveDevices, opts.evasive_devices);
  add_flag(out, Opt::ShellJob, opts.shell_job);
  add_flag(out, Opt::FileLocks, opts.file_locks);
  add_flag(out, Opt::NotifyScripts, opts.notify_scripts);
  add_flag(out, Opt::TrackMem, opts.track_mem);
  add_flag(out, Opt::AutoDedup, opts.auto_dedup);
  add_flag(out, Opt::LinkRemap, opts.link_remap);
  add_flag(out, Opt::RstSibling, opts.rst_sibling);
  add_flag(out, Opt::LazyPages, opts.lazy_pages);
  add_flag(out, Opt::OrphanPtsMaster, opts.orphan_pts_master);
  add_lists(out, opts);
}

Features decode_features(protozero::pbf_message<Part> in) {
  Features out;
  while (in.next()) {
    switch (in.tag_and_type()) {
      case number(Part::First): out.mem_track = in.get_bool(); break;
      case number(Part::Second): out.lazy_pages = in.get_bool(); break;
      default: in.skip();
    }
  }
  return out;
}

Version decode_version(protozero::pbf_message<Part> in) {
  Version out;
  while (in.next()) {
    switch (in.tag_and_type()) {
      case number(Part::First): out.major = in.get_int32(); break;
      case number(Part::Second): out.minor = in.get_int32(); break;
      case number(Part::Sublevel): out.sublevel = in.get_int32(); break;
      default: in.skip();
    }
  }
  return out;
}

Notification decode_notification(protozero::pbf_message<Part> in) {
  Notification out;
  while (in.next()) {
    switch (in.tag_and_type()) {
      case bytes(Part::First): out.script = in.get_string(); break;
      case number(Part::Second): out.pid = in.get_int32(); break;
      default: in.skip();
    }
  }
  return out;
}

pid_t decode_restore(protozero::pbf_message<Part> in) {
  pid_t pid = 0;
  while (in.next()) {
    if (in.tag_and_type() == number(Part::First)) {
      pid = in.get_int32();
    } else {
      in.skip();
    }
  }
  return pid;
}

/// Throws what protozero throws.
Response decode_response(std::string_view packet) {
  Response out;
  protozero::pbf_message<Resp> in{packet.data(), packet.size()};
  while (in.next()) {
    switch (in.tag_and_type()) {
      case number(Resp::Type): out.type = static_cast<RequestType>(in.get_enum()); break;
      case number(Resp::Success): out.success = in.get_bool(); break;
      case bytes(Resp::Restore): out.restored_pid = decode_restore(in.get_message()); break;
      case bytes(Resp::Notify): out.notify = decode_notification(in.get_message()); break;
      case number(Resp::CrErrno): out.cr_errno = in.get_int32(); break;
      case bytes(Resp::Features): out.features = decode_features(in.get_message()); break;
      case bytes(Resp::CrErrmsg): out.cr_errmsg = in.get_string(); break;
      case bytes(Resp::Version): out.version = decode_version(in.get_message()); break;
      default: in.skip();
    }
  }
  return out;
}

}  // namespace

std::string_view name_of(RequestType type) {
  switch (type) {
    case RequestType::Empty: return "empty";
    case RequestType::Dump: return "dump";
    case RequestType::Restore: return "restore";
    case RequestType::PreDump: return "pre-dump";
    case RequestType::Notify: return "notify";
    case RequestType::FeatureCheck: return "feature check";
    case RequestType::Version: return "version";
  }
  return "unknown";
}

std::string encode(const Request& request) {
  std::string out;
  protozero::pbf_builder<Req> builder{out};
  builder.add_enum(Req::Type, static_cast<std::int32_t>(request.type));
  if (request.opts) add_options(Builder{builder, Req::Opts}, *request.opts);
  if (request.notify_success) builder.add_bool(Req::NotifySuccess, *request.notify_success);
  if (request.keep_open) builder.add_bool(Req::KeepOpen, true);
  if (request.features) {
    protozero::pbf_builder<Part> part{builder, Req::Features};
    part.add_bool(Part::First, request.features->mem_track);
    part.add_bool(Part::Second, request.features->lazy_pages);
  }
  return out;
}

Result<Response> decode(std::string_view packet) {
  try {
    return decode_response(packet);
  } catch (const protozero::exception& malformed) {
    return base::invalid(fmt::format("malformed response from criu: {}", malformed.what()));
  }
}

}  // namespace runtime::detail::criu
