#include "engine/containers/tree_view.h"
#include "engine/containers/verbs.h"
#include "layer/diff.h"

namespace engine {
namespace {

class WholeTree final : public OutgoingArchive {
 public:
  WholeTree(Core& core, TreeView view) : core_{core}, view_{std::move(view)} {}

  base::Result<> write(base::ByteSink& sink) override {
    TRY(layer::write_tree(view_.root(), sink));
    publish(core_, *view_.record, "export");
    return {};
  }

 private:
  Core& core_;
  TreeView view_;
};

}  // namespace

base::Result<std::unique_ptr<OutgoingArchive>> export_tree(Core& core, const ContainerPtr& container) {
  const State state = container->state();
  if (state == State::Dead) return base::conflict("You cannot export container " + container->id() + " which is Dead");
  if (state == State::Removing) {
    return base::conflict("You cannot export container " + container->id() + " which is being removed");
  }
  return std::unique_ptr<OutgoingArchive>{new WholeTree{core, TRY(open_layers_view(core, container))}};
}

}  // namespace engine
