#include "cli/commands/all.h"

namespace cli {

namespace {

constexpr CommandEntry kCommands[] = {
    {"container attach", make_attach},
    {"container commit", make_commit},
    {"container cp", make_cp},
    {"container create", make_create},
    {"container diff", make_diff},
    {"container exec", make_exec},
    {"container export", make_export},
    {"container inspect", make_container_inspect},
    {"container kill", make_kill},
    {"container logs", make_logs},
    {"container ls", make_ps},
    {"container pause", make_pause},
    {"container port", make_port},
    {"container prune", make_container_prune},
    {"container rename", make_rename},
    {"container restart", make_restart},
    {"container rm", make_rm},
    {"container run", make_run},
    {"container start", make_start},
    {"container stats", make_stats},
    {"container stop", make_stop},
    {"container top", make_top},
    {"container unpause", make_unpause},
    {"container update", make_update},
    {"container wait", make_wait},
    {"image history", make_history},
    {"image inspect", make_image_inspect},
    {"image load", make_load},
    {"image ls", make_images},
    {"image prune", make_image_prune},
    {"image pull", make_pull},
    {"image push", make_push},
    {"image rm", make_rmi},
    {"image save", make_save},
    {"image tag", make_tag},
    {"inspect", make_inspect},
    {"network connect", make_network_connect},
    {"network create", make_network_create},
    {"network disconnect", make_network_disconnect},
    {"network inspect", make_network_inspect},
    {"network ls", make_network_ls},
    {"network prune", make_network_prune},
    {"network rm", make_network_rm},
    {"system df", make_system_df},
    {"system events", make_events},
    {"system info", make_info},
    {"version", make_version},
    {"volume create", make_volume_create},
    {"volume inspect", make_volume_inspect},
    {"volume ls", make_volume_ls},
    {"volume prune", make_volume_prune},
    {"volume rm", make_volume_rm},
};

}  // namespace

std::span<const CommandEntry> commands() { return kCommands; }

}  // namespace cli
