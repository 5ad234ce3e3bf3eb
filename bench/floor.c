// The bare kernel work of one container, with no engine and no runtime around it: what everything in
// bench/ is compared with. Without arguments it prints its options.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}
static void die(const char *m) {
  fprintf(stderr, "floor: %s: %s\n", m, strerror(errno));
  _exit(125);
}
static const char *rootfs, *cg, *odir, *bridge;
static int fnet, fmnt, fsec, loops = 1, verbose;
static char **cmd;

struct nl {
  struct nlmsghdr h;
  char b[1000];
};
static struct rtattr *attr(struct nl *m, int t, const void *d, int l) {
  struct rtattr *a = (void *)((char *)m + NLMSG_ALIGN(m->h.nlmsg_len));
  a->rta_type = t;
  a->rta_len = RTA_LENGTH(l);
  if (l) memcpy(RTA_DATA(a), d, l);
  m->h.nlmsg_len = NLMSG_ALIGN(m->h.nlmsg_len) + RTA_ALIGN(a->rta_len);
  return a;
}
static void nest_end(struct nl *m, struct rtattr *a) { a->rta_len = (char *)m + m->h.nlmsg_len - (char *)a; }
static int nlsock(void) {
  int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
  struct sockaddr_nl a = {.nl_family = AF_NETLINK};
  if (s < 0 || bind(s, (void *)&a, sizeof a)) die("netlink");
  return s;
}
static void talk(int s, struct nl *m, const char *w) {
  m->h.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
  struct nl r;
  if (send(s, m, m->h.nlmsg_len, 0) < 0 || recv(s, &r, sizeof r, 0) < 0) die(w);
  struct nlmsgerr *e = NLMSG_DATA(&r.h);
  if (r.h.nlmsg_type == NLMSG_ERROR && e->error) {
    errno = -e->error;
    die(w);
  }
}
static void veth(int s, const char *host, int pid) {
  struct nl m = {0};
  m.h.nlmsg_type = RTM_NEWLINK;
  m.h.nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
  struct ifinfomsg i = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP};
  m.h.nlmsg_len = NLMSG_LENGTH(sizeof i);
  memcpy(NLMSG_DATA(&m.h), &i, sizeof i);
  int master = if_nametoindex(bridge);
  attr(&m, IFLA_IFNAME, host, strlen(host) + 1);
  attr(&m, IFLA_MASTER, &master, 4);
  struct rtattr *li = attr(&m, IFLA_LINKINFO, 0, 0);
  attr(&m, IFLA_INFO_KIND, "veth", 4);
  struct rtattr *d = attr(&m, IFLA_INFO_DATA, 0, 0),
                *p = attr(&m, VETH_INFO_PEER, &(struct ifinfomsg){0},
                          sizeof i);  // a peer set up here would be opened before it is paired: ENOTCONN
  attr(&m, IFLA_IFNAME, "eth0", 5);
  attr(&m, IFLA_NET_NS_PID, &pid, 4);
  nest_end(&m, p);
  nest_end(&m, d);
  nest_end(&m, li);
  talk(s, &m, "veth");
}
static void linkup(int s, const char *n) {
  struct nl m = {0};
  m.h.nlmsg_type = RTM_NEWLINK;
  struct ifinfomsg i = {.ifi_index = if_nametoindex(n), .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
  m.h.nlmsg_len = NLMSG_LENGTH(sizeof i);
  memcpy(NLMSG_DATA(&m.h), &i, sizeof i);
  talk(s, &m, "up");
}
static void addr(int s, const char *n, const char *ip) {
  struct nl m = {0};
  m.h.nlmsg_type = RTM_NEWADDR;
  m.h.nlmsg_flags = NLM_F_CREATE;
  struct ifaddrmsg a = {.ifa_family = AF_INET, .ifa_prefixlen = 16, .ifa_index = if_nametoindex(n)};
  struct in_addr x;
  inet_aton(ip, &x);
  m.h.nlmsg_len = NLMSG_LENGTH(sizeof a);
  memcpy(NLMSG_DATA(&m.h), &a, sizeof a);
  attr(&m, IFA_LOCAL, &x, 4);
  attr(&m, IFA_ADDRESS, &x, 4);
  talk(s, &m, "addr");
}
static void route(int s, const char *gw) {
  struct nl m = {0};
  m.h.nlmsg_type = RTM_NEWROUTE;
  m.h.nlmsg_flags = NLM_F_CREATE;
  struct rtmsg r = {.rtm_family = AF_INET,
                    .rtm_table = RT_TABLE_MAIN,
                    .rtm_protocol = RTPROT_BOOT,
                    .rtm_scope = RT_SCOPE_UNIVERSE,
                    .rtm_type = RTN_UNICAST};
  struct in_addr x;
  inet_aton(gw, &x);
  m.h.nlmsg_len = NLMSG_LENGTH(sizeof r);
  memcpy(NLMSG_DATA(&m.h), &r, sizeof r);
  attr(&m, RTA_GATEWAY, &x, 4);
  talk(s, &m, "route");
}

static void wr(const char *p, const char *v) {
  int f = open(p, O_WRONLY | O_CLOEXEC);
  if (f < 0 || write(f, v, strlen(v)) < 0) die(p);
  close(f);
}
static const char *hier[] = {"cpu",   "cpuacct", "cpuset",  "memory",  "devices", "freezer",
                             "blkio", "pids",    "systemd", "unified", 0};
static int v2;
static char cgp[12][256];
static int ncg;
static void cg_make(int pid) {
  char b[300], n[32];
  snprintf(n, 32, "%d", pid);
  ncg = 0;
  for (int i = 0; v2 ? i < 1 : hier[i] != 0; i++) {
    snprintf(cgp[ncg], 256, "/sys/fs/cgroup/%s/floor-%s-%d", v2 ? "." : hier[i], cg, getpid());
    snprintf(b, 300, "/sys/fs/cgroup/%s/cgroup.procs", v2 ? "." : hier[i]);
    if (access(b, F_OK) || mkdir(cgp[ncg], 0755)) continue;
    if (!v2 && !strcmp(hier[i], "cpuset")) {
      snprintf(b, 300, "%s/cpuset.mems", cgp[ncg]);
      wr(b, "0");
      snprintf(b, 300, "%s/cpuset.cpus", cgp[ncg]);
      wr(b, "0-1");
    }
    snprintf(b, 300, "%s/cgroup.procs", cgp[ncg]);
    wr(b, n);
    ncg++;
  }
}
static void cg_del(void) {
  for (int i = 0; i < ncg; i++) rmdir(cgp[i]);
}
static void mnt(const char *s, const char *t, const char *f, unsigned long fl, const char *o) {
  if (mount(s, t, f, fl, o)) die(t);
}
static void child(int rd, double *ph) {
  char c;
  if (read(rd, &c, 1) != 1) die("sync");
  close(rd);
  if (bridge) {
    int s = nlsock();
    linkup(s, "lo");
    addr(s, "eth0", "10.99.1.2");
    linkup(s, "eth0");
    route(s, "10.99.0.1");
    close(s);
  } else if (fnet) {
    int s = nlsock();
    linkup(s, "lo");
    close(s);
  }
  mnt(0, "/", 0, MS_REC | MS_PRIVATE, 0);
  char m[512];
  if (odir) {
    char o[2000];
    snprintf(m, 512, "%s/merged", odir);
    snprintf(o, 2000, "lowerdir=%s,upperdir=%s/upper,workdir=%s/work", rootfs, odir, odir);
    mnt("overlay", m, "overlay", 0, o);
  } else {
    snprintf(m, 512, "%s", rootfs);
    mnt(m, m, 0, MS_BIND | MS_REC, 0);
  }
  if (chdir(m)) die("chdir");
  if (fmnt) {
    mnt("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, 0);
    mnt("tmpfs", "dev", "tmpfs", MS_NOSUID, "mode=755,size=65536k");
    mkdir("dev/pts", 0755);
    mkdir("dev/shm", 0755);
    mkdir("dev/mqueue", 0755);
    mnt("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5");
    mnt("shm", "dev/shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=65536k");
    mnt("mqueue", "dev/mqueue", "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, 0);
    if (fnet) mnt("sysfs", "sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, 0);
    struct {
      const char *n;
      int a, b;
    } d[] = {{"null", 1, 3},   {"zero", 1, 5},    {"full", 1, 7},
             {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}};
    for (int i = 0; i < 6; i++) {
      char p[32];
      snprintf(p, 32, "dev/%s", d[i].n);
      if (mknod(p, S_IFCHR | 0666, makedev(d[i].a, d[i].b))) die(p);
    }
    symlink("/proc/self/fd", "dev/fd");
    symlink("/proc/self/fd/0", "dev/stdin");
    symlink("/proc/self/fd/1", "dev/stdout");
    symlink("/proc/self/fd/2", "dev/stderr");
    symlink("pts/ptmx", "dev/ptmx");
    const char *ro[] = {"proc/bus", "proc/fs", "proc/irq", "proc/sys", 0},
               *mask[] = {"proc/kcore", "proc/keys", "proc/timer_list", 0};
    for (int i = 0; ro[i]; i++)
      if (!mount(ro[i], ro[i], 0, MS_BIND | MS_REC, 0))
        mount(ro[i], ro[i], 0, MS_BIND | MS_REMOUNT | MS_RDONLY, 0);
    for (int i = 0; mask[i]; i++) mount("dev/null", mask[i], 0, MS_BIND, 0);
  }
  if (syscall(SYS_pivot_root, ".", ".")) die("pivot_root");
  if (umount2(".", MNT_DETACH) || chdir("/")) die("umount");
  sethostname("floor", 5);
  if (fsec) {
    static struct sock_filter f[352];
    f[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0);
    for (int i = 1; i <= 350; i++)
      f[i] =
          (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 5000 + i, (350 - i) > 255 ? 0 : 350 - i, 0);
    f[351] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog pr = {352, f};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &pr)) die("seccomp");
  }
  execv(cmd[0], cmd);
  die("exec");
}
static int cmpd(const void *a, const void *b) {
  double x = *(double *)a, y = *(double *)b;
  return x < y ? -1 : x > y;
}
int main(int ac, char **av) {
  int o;
  while ((o = getopt(ac, av, "+r:nc:o:msb:N:v")) != -1) switch (o) {
      case 'r':
        rootfs = optarg;
        break;
      case 'n':
        fnet = 1;
        break;
      case 'c':
        cg = optarg;
        break;
      case 'o':
        odir = optarg;
        break;
      case 'm':
        fmnt = 1;
        break;
      case 's':
        fsec = 1;
        break;
      case 'b':
        bridge = optarg;
        fnet = 1;
        break;
      case 'N':
        loops = atoi(optarg);
        break;
      case 'v':
        verbose = 1;
        break;
      default:
        return 2;
    }
  cmd = av + optind;
  if (!rootfs || !*cmd) {
    fprintf(stderr,
            "usage: floor -r ROOTFS [options] -- PROGRAM [ARGS]\n"
            "  -n       new network namespace\n"
            "  -c NAME  a new cgroup NAME in every v1 hierarchy, or in v2\n"
            "  -o DIR   overlay: ROOTFS is the lower, upper and work are made in DIR\n"
            "  -m       the usual mounts, devices, masked paths\n"
            "  -s       a seccomp filter of 350 instructions, no_new_privs\n"
            "  -b BR    a veth pair into bridge BR, address, route\n"
            "  -N LOOPS -v  the medians of the phases as JSON\n");
    return 2;
  }
  v2 = !access("/sys/fs/cgroup/cgroup.controllers", F_OK);
  char p[600];
  int nls = bridge ? nlsock() : -1;
  enum { CLONE, SETUP, WAIT, CLEAN, TOTAL, NPH };
  double *t[NPH];
  for (int i = 0; i < NPH; i++) t[i] = calloc(loops, 8);
  int rc = 0;
  for (int k = 0; k < loops; k++) {
    double a = now();
    int pp[2];
    if (pipe2(pp, O_CLOEXEC)) die("pipe");
    if (odir) {
      mkdir(odir, 0755);
      const char *s[] = {"upper", "work", "merged"};
      for (int i = 0; i < 3; i++) {
        snprintf(p, 600, "%s/%s", odir, s[i]);
        mkdir(p, 0755);
      }
    }
    struct clone_args ca = {
        .flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | (fnet ? CLONE_NEWNET : 0),
        .exit_signal = SIGCHLD};
    long pid = syscall(SYS_clone3, &ca, sizeof ca);
    if (pid < 0) die("clone3");
    if (!pid) {
      close(pp[1]);
      child(pp[0], 0);
    }
    double b = now();
    close(pp[0]);
    if (cg) cg_make(pid);
    if (bridge) {
      char h[16];
      snprintf(h, 16, "fl%d", (int)pid);
      veth(nls, h, pid);
    }
    if (write(pp[1], "x", 1) != 1) die("go");
    close(pp[1]);
    double c = now();
    int st;
    waitpid(pid, &st, 0);
    double d = now();
    rc |= WIFEXITED(st) ? WEXITSTATUS(st) : 128;
    if (cg) cg_del();
    if (odir) {
      snprintf(p, 600, "%s/work/work", odir);
      rmdir(p);
      const char *s[] = {"work", "merged", "upper", ""};
      for (int i = 0; i < 4; i++) {
        snprintf(p, 600, "%s/%s", odir, s[i]);
        rmdir(p);
      }
    }
    double e = now();
    t[CLONE][k] = b - a;
    t[SETUP][k] = c - b;
    t[WAIT][k] = d - c;
    t[CLEAN][k] = e - d;
    t[TOTAL][k] = e - a;
  }
  if (loops > 1 || verbose) {
    const char *nm[] = {"clone", "parent_setup", "child_to_exit", "cleanup", "total"};
    printf("{");
    for (int i = 0; i < NPH; i++) {
      qsort(t[i], loops, 8, cmpd);
      printf("%s\"%s_us\": %.1f", i ? ", " : "", nm[i], t[i][loops / 2]);
    }
    printf("}\n");
  }
  return rc;
}
