/* What the attack programs share. Each attack is a function that runs inside of a container (or, as a
   control, beside one) and says by its exit status how it went. */
#ifndef ATTACK_H
#define ATTACK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum { kHeld = 0, kBroken = 1, kEscaped = 42 };

/* Prints "ESCAPED ..." and gives the status that says so. */
int escaped(const char* format, ...) __attribute__((format(printf, 1, 2)));
/* Prints "held ...": the attack was made and failed. */
int held(const char* format, ...) __attribute__((format(printf, 1, 2)));
/* The attack could not even be made: the test is broken. */
int broken(const char* what);

double seconds_now(void);
/* The first bytes of a file as a string. Empty when it can't be read. */
void slurp(const char* path, char* out, size_t size);
/* True when a process holds a capability that this one does not. `status` is a path of /proc/PID/status. */
int has_more_capabilities(const char* status);

#define ATTACK(name) int name(int argc, char** argv)
ATTACK(hold_exe);
ATTACK(naive_enter);
ATTACK(hunt);
ATTACK(list_descriptors);
ATTACK(climb);
ATTACK(exchange);
ATTACK(naive_mount);
ATTACK(masked);
ATTACK(open_write);
ATTACK(mount_proc);
ATTACK(mount_here);
ATTACK(mount_cgroup);
ATTACK(use_node);
ATTACK(keyring);
ATTACK(abstract_socket);
ATTACK(push_input);
ATTACK(drop_groups);
ATTACK(capabilities);
ATTACK(stop_newcomers);

#endif
