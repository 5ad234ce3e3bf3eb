#include "base/log.h"
#include "base/strings.h"
#include "engine/containers/launch.h"
#include "engine/containers/streams.h"
#include "engine/containers/verbs.h"
#include "logs/reader.h"

namespace engine {
namespace {

class AttachTicket final : public StreamTicket {
 public:
  AttachTicket(Core& core, ContainerPtr container, shim::Attachment attachment)
      : core_{core}, container_{std::move(container)}, attachment_{std::move(attachment)} {}

  [[nodiscard]] bool tty() const override { return container_->record()->config.tty; }

  base::Result<> connect(sys::UniqueFd connection, std::string already_read) override {
    attachment_.already_read = base::base64(already_read);
    const auto record = container_->record();
    if (!attachment_.stream && !has_process(record->state)) {
      replay(core_, record, std::move(connection), attachment_);
      return {};
    }
    PendingAttachment pending{std::move(connection), attachment_};
    if (!container_->add_pending(pending)) {
      // Running by now: the shim serves it, or says why not.
      const auto run = container_->run();
      if (!run) return base::conflict("container " + record->id + " is not running");
      TRY(run->client().attach(std::move(pending.connection), attachment_));
    }
    publish(core_, *record, "attach");
    return {};
  }

 private:
  Core& core_;
  ContainerPtr container_;
  shim::Attachment attachment_;
};

}  // namespace

base::Result<std::unique_ptr<StreamTicket>> attach(Core& core, const ContainerPtr& container,
                                                   const AttachOptions& options) {
  const auto record = container->record();
  TRY(advance(record->state, Step::Attach, record->id));
  shim::Attachment attachment;
  attachment.in = options.in && record->config.open_stdin;
  attachment.out = options.out;
  attachment.err = options.err;
  attachment.logs = options.logs;
  attachment.stream = options.stream;
  attachment.multiplexed = options.multiplexed && !record->config.tty;
  attachment.detach_keys = TRY(check_detach_keys(options.detach_keys));
  return std::unique_ptr<StreamTicket>{new AttachTicket{core, container, std::move(attachment)}};
}

}  // namespace engine
