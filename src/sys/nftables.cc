#include "sys/nftables.h"

#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <thread>

#include <arpa/inet.h>
#include <dlfcn.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/close_range.h>
#include <linux/netlink.h>
#include <nftables/libnftables.h>
#include <unistd.h>

#include "base/scope_guard.h"
#include "base/strings.h"
#include "sys/crash_point.h"

namespace sys {
namespace {

constexpr const char* kLibrary = "libnftables.so.1";

struct Library {
  decltype(&::nft_ctx_new) create;
  decltype(&::nft_ctx_free) free;
  decltype(&::nft_ctx_buffer_output) buffer_output;
  decltype(&::nft_ctx_buffer_error) buffer_error;
  decltype(&::nft_ctx_get_output_buffer) output;
  decltype(&::nft_ctx_get_error_buffer) error;
  decltype(&::nft_run_cmd_from_buffer) run;
  decltype(&::nft_ctx_output_set_flags) set_flags;
};

template <class F>
bool resolve(void* handle, const char* name, F& function) {
  function = reinterpret_cast<F>(::dlsym(handle, name));
  return function != nullptr;
}

bool resolve_all(void* handle, Library& library) {
  return resolve(handle, "nft_ctx_new", library.create) && resolve(handle, "nft_ctx_free", library.free) &&
         resolve(handle, "nft_ctx_buffer_output", library.buffer_output) &&
         resolve(handle, "nft_ctx_buffer_error", library.buffer_error) &&
         resolve(handle, "nft_ctx_get_output_buffer", library.output) &&
         resolve(handle, "nft_ctx_get_error_buffer", library.error) &&
         resolve(handle, "nft_ctx_output_set_flags", library.set_flags) &&
         resolve(handle, "nft_run_cmd_from_buffer", library.run);
}

std::mutex& library_mutex() {
  static std::mutex mutex;
  return mutex;
}

base::Error failure_of(std::string text) {
  const auto trimmed = base::trim(text);
  const auto says = [&](int error) {
    return trimmed.find(base::errno_text(error)) != std::string_view::npos;
  };
  std::string message = "nftables: " + std::string{trimmed};
  if (says(EPERM)) return {base::ErrorKind::PermissionDenied, EPERM, std::move(message)};
  if (says(EOPNOTSUPP)) return {base::ErrorKind::NotImplemented, EOPNOTSUPP, std::move(message)};
  if (says(EEXIST)) return {base::ErrorKind::Conflict, EEXIST, std::move(message)};
  if (says(ENOENT)) return {base::ErrorKind::NotFound, ENOENT, std::move(message)};
  return base::invalid(std::move(message));
}

/// In a thread that has few descriptors: see run_nft.
base::Result<std::string> run_in_library(const std::string& commands, NftOutput output) {
  {
    const auto probe = NetlinkSocket::open(NETLINK_NETFILTER);
    if (!probe) {
      return base::not_implemented("this kernel has no nf_tables (CONFIG_NF_TABLES): " +
                                   probe.error().message());
    }
  }
  void* handle = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* why = ::dlerror();  // NOLINT(concurrency-mt-unsafe): it is per thread
    return base::not_implemented(std::string{"nftables needs the library "} + kLibrary +
                                 " (package libnftables1): " + (why != nullptr ? why : "it can't be loaded"));
  }
  const base::ScopeGuard unload{[&] { ::dlclose(handle); }};
  Library library{};
  if (!resolve_all(handle, library))
    return base::not_implemented(std::string{kLibrary} + " lacks a function");
  nft_ctx* context = library.create(NFT_CTX_DEFAULT);
  if (context == nullptr) return base::internal("nftables: no context");
  const base::ScopeGuard free{[&] { library.free(context); }};
  library.buffer_output(context);
  library.buffer_error(context);
  if (output == NftOutput::WithHandles) library.set_flags(context, NFT_CTX_OUTPUT_HANDLE);
  if (library.run(context, commands.c_str()) != 0) return failure_of(library.error(context));
  const char* printed = library.output(context);
  return std::string{printed != nullptr ? printed : ""};
}

}  // namespace

base::Result<std::string> run_nft(const std::string& commands, NftOutput output) {
  TRY(inject("nft"));
  const std::scoped_lock lock{library_mutex()};
  // The library waits with select(2), which is undefined for descriptors from 1024 on, and a daemon
  // may have so many. So it works on a thread with a descriptor table of its own, which is empty but
  // for 0, 1 and 2. The thread is in the caller's network namespace, as every new thread.
  base::Result<std::string> result = base::internal("nftables: no answer");
  std::thread worker{[&] {
    if (::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_UNSHARE) < 0) {
      result = base::Error::from_errno(errno, "close_range");
    } else {
      result = run_in_library(commands, output);
    }
  }};
  worker.join();
  return result;
}

void NftValue::append(const void* data, std::size_t size) {
  const auto* first = static_cast<const char*>(data);
  bytes_.insert(bytes_.end(), first, first + size);
  bytes_.resize((bytes_.size() + 3) & ~std::size_t{3});
}
NftValue& NftValue::protocol(std::uint8_t number) {
  append(&number, sizeof number);
  return *this;
}
NftValue& NftValue::port(std::uint16_t host_order) {
  const std::uint16_t network_order = htons(host_order);
  append(&network_order, sizeof network_order);
  return *this;
}
NftValue& NftValue::ipv4(std::uint32_t host_order) {
  const std::uint32_t network_order = htonl(host_order);
  append(&network_order, sizeof network_order);
  return *this;
}

NftElements::NftElements(std::uint8_t family, std::string table) : family_{family}, table_{std::move(table)} {
  nfgenmsg header{};
  header.nfgen_family = AF_UNSPEC;
  header.res_id = htons(NFNL_SUBSYS_NFTABLES);
  batch_.begin(NFNL_MSG_BATCH_BEGIN, 0, header, "nftables transaction");
}

void NftElements::change(std::uint16_t message, const std::string& set, const NftValue& key,
                         const NftValue& value, std::string_view verb) {
  nfgenmsg header{};
  header.nfgen_family = family_;
  std::uint16_t flags = NLM_F_ACK;
  if (message == NFT_MSG_NEWSETELEM) flags |= NLM_F_CREATE;
  batch_.begin(static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | message), flags, header,
               std::string{verb} + " nftables element of " + table_ + " " + set);
  batch_.put_text(NFTA_SET_ELEM_LIST_TABLE, table_);
  batch_.put_text(NFTA_SET_ELEM_LIST_SET, set);
  const std::size_t list = batch_.open(NFTA_SET_ELEM_LIST_ELEMENTS);
  const std::size_t element = batch_.open(NFTA_LIST_ELEM);
  const std::size_t key_nest = batch_.open(NFTA_SET_ELEM_KEY);
  batch_.put(NFTA_DATA_VALUE, key.bytes());
  batch_.close(key_nest);
  if (!value.empty()) {
    const std::size_t data_nest = batch_.open(NFTA_SET_ELEM_DATA);
    batch_.put(NFTA_DATA_VALUE, value.bytes());
    batch_.close(data_nest);
  }
  batch_.close(element);
  batch_.close(list);
  ++count_;
}

void NftElements::add(const std::string& set, const NftValue& key, const NftValue& value) {
  change(NFT_MSG_NEWSETELEM, set, key, value, "add");
}
void NftElements::remove(const std::string& set, const NftValue& key) {
  change(NFT_MSG_DELSETELEM, set, key, {}, "delete");
}

base::Result<> NftElements::commit(NetfilterSockets& sockets) {
  if (count_ == 0) return {};
  nfgenmsg header{};
  header.nfgen_family = AF_UNSPEC;
  header.res_id = htons(NFNL_SUBSYS_NFTABLES);
  batch_.begin(NFNL_MSG_BATCH_END, 0, header, "nftables transaction");
  TRY(inject("nft"));
  NetlinkSocket socket = TRY(sockets.take());
  auto result = socket.run(batch_);
  sockets.give_back(std::move(socket));
  return result;
}

}  // namespace sys
