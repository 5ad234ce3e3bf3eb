#include "engine/containers/container.h"

#include <algorithm>

namespace engine {

using Lock = std::unique_lock<std::mutex>;
using Guard = std::lock_guard<std::mutex>;

Container::Container(Record record)
    : id_{record.id}, record_{std::make_shared<const Record>(std::move(record))} {
  ended_.exit_code = record_->exit_code;
}

std::shared_ptr<const Record> Container::record() const {
  const Guard lock{mutex_};
  return record_;
}

std::shared_ptr<const Record> Container::update(base::FunctionRef<void(Record&)> change) {
  const Guard lock{mutex_};
  auto copy = std::make_shared<Record>(*record_);
  change(*copy);
  record_ = std::move(copy);
  return record_;
}

std::shared_ptr<Run> Container::run() const {
  const Guard lock{mutex_};
  return run_;
}

void Container::set_run(std::shared_ptr<Run> run) {
  const Guard lock{mutex_};
  run_.swap(run);
  shim_attaches_ = false;
}

std::optional<Reactor::TimerId> Container::exchange_restart_timer(std::optional<Reactor::TimerId> timer) {
  const Guard lock{mutex_};
  return std::exchange(restart_timer_, timer);
}

void Container::set_restarting_by_client(bool on) {
  const Guard lock{mutex_};
  restarting_by_client_ = on;
}
bool Container::restarting_by_client() const {
  const Guard lock{mutex_};
  return restarting_by_client_;
}

std::chrono::milliseconds Container::next_backoff(std::chrono::nanoseconds last_run) {
  using std::chrono::milliseconds;
  constexpr milliseconds first{100}, longest{60'000};
  const Guard lock{mutex_};
  const bool from_start = backoff_.count() == 0 || last_run >= std::chrono::seconds{10};
  backoff_ = from_start ? first : std::min(backoff_ * 2, longest);
  return backoff_;
}

void Container::reset_backoff() {
  const Guard lock{mutex_};
  backoff_ = std::chrono::milliseconds{0};
}

bool Container::add_pending(PendingAttachment& attachment) {
  const Guard lock{mutex_};
  if (shim_attaches_) return false;
  pending_.push_back(std::move(attachment));
  return true;
}

std::vector<PendingAttachment> Container::take_pending() {
  const Guard lock{mutex_};
  auto taken = std::exchange(pending_, {});
  if (taken.empty() && run_) shim_attaches_ = true;
  return taken;
}

void Container::note_end(std::int64_t exit_code, const std::string& error) {
  {
    const Guard lock{mutex_};
    ++ended_.number;
    ended_.exit_code = exit_code;
    ended_.error = error;
  }
  changed_.notify_all();
}

void Container::note_rest() {
  std::vector<std::weak_ptr<LogFollower>> followers;
  {
    const Guard lock{mutex_};
    followers = std::exchange(followers_, {});
  }
  for (const auto& weak : followers) {
    if (const auto follower = weak.lock()) follower->finish();
  }
}

void Container::add_follower(std::weak_ptr<LogFollower> follower) {
  {
    const Guard lock{mutex_};
    if (counts_as_running(record_->state) || run_) {
      std::erase_if(followers_, [](const auto& weak) { return weak.expired(); });
      followers_.push_back(std::move(follower));
      return;
    }
  }
  if (const auto now = follower.lock()) now->finish();
}

void Container::note_run_over() {
  {
    const Guard lock{mutex_};
    ++runs_over_;
  }
  changed_.notify_all();
}

void Container::note_removed(const std::string& error) {
  {
    const Guard lock{mutex_};
    removed_ = true;
    removal_error_ = error;
    pending_.clear();
  }
  changed_.notify_all();
}

std::uint64_t Container::ends() const {
  const Guard lock{mutex_};
  return ended_.number;
}
std::uint64_t Container::runs_over() const {
  const Guard lock{mutex_};
  return runs_over_;
}
bool Container::removed() const {
  const Guard lock{mutex_};
  return removed_;
}

std::optional<Ended> Container::wait_end(std::uint64_t seen, std::stop_token stop) {
  Lock lock{mutex_};
  changed_.wait(lock, stop, [&] { return ended_.number > seen || removed_; });
  if (ended_.number > seen || removed_) return ended_;
  return std::nullopt;
}

std::optional<Ended> Container::wait_removed(std::stop_token stop) {
  Lock lock{mutex_};
  if (!changed_.wait(lock, stop, [&] { return removed_; })) return std::nullopt;
  Ended result = ended_;
  result.error = removal_error_;
  return result;
}

bool Container::wait_run_over(std::uint64_t seen, std::optional<std::chrono::steady_clock::time_point> deadline) {
  Lock lock{mutex_};
  const auto over = [&] { return runs_over_ > seen; };
  if (deadline) return changed_.wait_until(lock, *deadline, over);
  changed_.wait(lock, over);
  return true;
}

void Container::put_exec(ExecRecord exec) {
  const Guard lock{mutex_};
  const std::string id = exec.id;
  execs_.insert_or_assign(id, std::move(exec));
}

std::optional<ExecRecord> Container::exec(const std::string& id) const {
  const Guard lock{mutex_};
  const auto found = execs_.find(id);
  return found == execs_.end() ? std::nullopt : std::optional{found->second};
}

bool Container::update_exec(const std::string& id, base::FunctionRef<void(ExecRecord&)> change) {
  const Guard lock{mutex_};
  const auto found = execs_.find(id);
  if (found == execs_.end()) return false;
  change(found->second);
  return true;
}

std::vector<ExecRecord> Container::execs() const {
  const Guard lock{mutex_};
  std::vector<ExecRecord> all;
  for (const auto& [id, exec] : execs_) all.push_back(exec);
  return all;
}

void Container::clear_execs() {
  const Guard lock{mutex_};
  execs_.clear();
}

}  // namespace engine
