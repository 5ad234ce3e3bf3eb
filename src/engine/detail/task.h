#pragma once
/// Something to be run once, later, perhaps on another thread: a move-only std::function<void()>.

#include <memory>
#include <utility>

namespace engine {

class Task {
 public:
  Task() = default;
  template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, Task>)
  Task(F body) : body_{std::make_unique<Holder<F>>(std::move(body))} {}  // NOLINT: implicit by intent

  explicit operator bool() const { return body_ != nullptr; }
  void operator()() { body_->run(); }

 private:
  struct Body {
    virtual ~Body() = default;
    virtual void run() = 0;
  };
  template <class F>
  struct Holder final : Body {
    explicit Holder(F f) : call{std::move(f)} {}
    void run() override { call(); }
    F call;
  };
  std::unique_ptr<Body> body_;
};

}  // namespace engine
