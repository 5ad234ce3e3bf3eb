#include "attack.h"

#include <time.h>

struct Attack {
  const char* name;
  int (*run)(int, char**);
};

static const struct Attack kAttacks[] = {
    {"hold-exe", hold_exe},
    {"naive-enter", naive_enter},
    {"hunt", hunt},
    {"list-descriptors", list_descriptors},
    {"climb", climb},
    {"exchange", exchange},
    {"naive-mount", naive_mount},
    {"masked", masked},
    {"open-write", open_write},
    {"mount-proc", mount_proc},
    {"mount-here", mount_here},
    {"mount-cgroup", mount_cgroup},
    {"use-node", use_node},
    {"keyring", keyring},
    {"abstract-socket", abstract_socket},
    {"push-input", push_input},
    {"drop-groups", drop_groups},
    {"capabilities", capabilities},
    {"stop-newcomers", stop_newcomers},
};

static int say(int status, const char* word, const char* format, va_list arguments) {
  char line[4096];
  const int at = snprintf(line, sizeof line, "%s ", word);
  vsnprintf(line + at, sizeof line - (size_t)at, format, arguments);
  printf("%s\n", line);
  fflush(stdout);
  return status;
}

int escaped(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int status = say(kEscaped, "ESCAPED", format, arguments);
  va_end(arguments);
  return status;
}

int held(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int status = say(kHeld, "held", format, arguments);
  va_end(arguments);
  return status;
}

int broken(const char* what) {
  printf("broken %s: %s\n", what, strerror(errno));
  fflush(stdout);
  return kBroken;
}

double seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void slurp(const char* path, char* out, size_t size) {
  out[0] = '\0';
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  const ssize_t count = read(fd, out, size - 1);
  close(fd);
  out[count < 0 ? 0 : count] = '\0';
}

static unsigned long long permitted(const char* status) {
  char text[8192];
  slurp(status, text, sizeof text);
  const char* at = strstr(text, "CapPrm:");
  return at == NULL ? 0 : strtoull(at + 7, NULL, 16);
}

int has_more_capabilities(const char* status) { return (permitted(status) & ~permitted("/proc/self/status")) != 0; }

int main(int argc, char** argv) {
  for (size_t i = 0; argc > 1 && i < sizeof kAttacks / sizeof kAttacks[0]; ++i) {
    if (strcmp(kAttacks[i].name, argv[1]) == 0) return kAttacks[i].run(argc - 1, argv + 1);
  }
  fprintf(stderr, "attack: no such attack\n");
  return kBroken;
}
