/// The program of the hello-world image: alone in its container, static, writes and ends.

#include <cstdio>

int main() {
  static constexpr char kText[] =
      "\n"
      "Hello from Caisson!\n"
      "This message shows that your installation works from one end to the other.\n"
      "\n"
      "These steps took place to bring it here:\n"
      " 1. The client, caisson, asked the daemon over its socket to make a container.\n"
      " 2. The daemon, caissond, looked for the image \"hello-world\". It was not here yet, so it came from a\n"
      "    registry or, where none can be reached, from the ones that are built into the installation.\n"
      " 3. The image's layer became the lower part of the container's own file system.\n"
      " 4. A shim started this program in namespaces and a cgroup of its own, and hands on what it says.\n"
      " 5. The client printed the bytes that you are reading.\n"
      "\n"
      "For something with more in it, try a shell:\n"
      " $ caisson run -it --rm busybox sh\n"
      "\n";
  // The exit status says whether the text arrived: a closed pipe shows only when the buffer is flushed.
  return std::fputs(kText, stdout) >= 0 && std::fflush(stdout) == 0 ? 0 : 1;
}
