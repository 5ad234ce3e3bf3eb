#pragma once
/// One maker per command. Their order and paths: table.cc.

#include <memory>

#include "cli/command.h"

namespace cli {

std::unique_ptr<Command> make_attach();
std::unique_ptr<Command> make_checkpoint_create();
std::unique_ptr<Command> make_checkpoint_ls();
std::unique_ptr<Command> make_checkpoint_rm();
std::unique_ptr<Command> make_commit();
std::unique_ptr<Command> make_completion_bash();
std::unique_ptr<Command> make_completion_fish();
std::unique_ptr<Command> make_completion_powershell();
std::unique_ptr<Command> make_completion_zsh();
std::unique_ptr<Command> make_container_inspect();
std::unique_ptr<Command> make_container_prune();
std::unique_ptr<Command> make_context_create();
std::unique_ptr<Command> make_context_export();
std::unique_ptr<Command> make_context_import();
std::unique_ptr<Command> make_context_inspect();
std::unique_ptr<Command> make_context_ls();
std::unique_ptr<Command> make_context_rm();
std::unique_ptr<Command> make_context_show();
std::unique_ptr<Command> make_context_update();
std::unique_ptr<Command> make_context_use();
std::unique_ptr<Command> make_cp();
std::unique_ptr<Command> make_create();
std::unique_ptr<Command> make_debug();
std::unique_ptr<Command> make_dial_stdio();
std::unique_ptr<Command> make_diff();
std::unique_ptr<Command> make_events();
std::unique_ptr<Command> make_exec();
std::unique_ptr<Command> make_export();
std::unique_ptr<Command> make_history();
std::unique_ptr<Command> make_image_inspect();
std::unique_ptr<Command> make_image_prune();
std::unique_ptr<Command> make_images();
std::unique_ptr<Command> make_info();
std::unique_ptr<Command> make_inspect();
std::unique_ptr<Command> make_kill();
std::unique_ptr<Command> make_load();
std::unique_ptr<Command> make_logs();
std::unique_ptr<Command> make_network_connect();
std::unique_ptr<Command> make_network_create();
std::unique_ptr<Command> make_network_disconnect();
std::unique_ptr<Command> make_network_inspect();
std::unique_ptr<Command> make_network_ls();
std::unique_ptr<Command> make_network_prune();
std::unique_ptr<Command> make_network_rm();
std::unique_ptr<Command> make_pause();
std::unique_ptr<Command> make_port();
std::unique_ptr<Command> make_ps();
std::unique_ptr<Command> make_pull();
std::unique_ptr<Command> make_push();
std::unique_ptr<Command> make_rename();
std::unique_ptr<Command> make_restart();
std::unique_ptr<Command> make_rm();
std::unique_ptr<Command> make_rmi();
std::unique_ptr<Command> make_run();
std::unique_ptr<Command> make_save();
std::unique_ptr<Command> make_start();
std::unique_ptr<Command> make_stats();
std::unique_ptr<Command> make_stop();
std::unique_ptr<Command> make_system_df();
std::unique_ptr<Command> make_system_prune();
std::unique_ptr<Command> make_tag();
std::unique_ptr<Command> make_top();
std::unique_ptr<Command> make_unpause();
std::unique_ptr<Command> make_update();
std::unique_ptr<Command> make_version();
std::unique_ptr<Command> make_volume_create();
std::unique_ptr<Command> make_volume_inspect();
std::unique_ptr<Command> make_volume_ls();
std::unique_ptr<Command> make_volume_prune();
std::unique_ptr<Command> make_volume_rm();
std::unique_ptr<Command> make_volume_update();
std::unique_ptr<Command> make_wait();

}  // namespace cli
