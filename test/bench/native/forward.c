/*
 * The least that a forwarder can do on this machine: one thread, recvmmsg and sendmmsg with UDP_GRO and UDP_SEGMENT, a
 * table look-up by source, send to its peer. No lease, no limit, no count. It shows what the kernel takes by itself.
 * Commands are lines on standard input, answers are lines on standard output:
 *   bind                        a socket on 127.0.0.1    -> bound PORT
 *   pair A.B.C.D PORT A.B.C.D PORT   these two belong together (no answer)
 *   paired                      are all pairs in place?  -> paired
 * It forwards while it waits for lines, and ends with its standard input.
 */
#include "udp-sockets.h"

enum {
  BATCH = 128,
  SLOTS = 1 << 16,      /* A power of two, four times as many as there are ends. */
  WORTH_ANOTHER_LOOK = 8,
};

typedef struct {
  struct sockaddr_in from, to;
} entry_t;

static entry_t table[SLOTS];
static struct mmsghdr in[BATCH], out[BATCH];
static struct iovec in_vectors[BATCH], out_vectors[BATCH];
static struct sockaddr_in names[BATCH];
static uint8_t in_control[BATCH][64], out_control[BATCH][64];
static uint8_t *bytes;
static int fd = -1, taken;

static void set_option(int level, int name, int value) {
  if (setsockopt(fd, level, name, &value, sizeof value) < 0) die("setsockopt");
}

static void open_socket(void) {
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) die("socket");
  set_option(SOL_SOCKET, SO_RCVBUF, 64 << 20);
  set_option(SOL_SOCKET, SO_SNDBUF, 64 << 20);
  set_option(SOL_UDP, UDP_GRO, 1);
  set_option(IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
  if (bind(fd, (struct sockaddr *)&name, sizeof name) < 0) die("bind");
  printf("bound %d\n", port_of(fd));
}

static uint32_t slot_of(const struct sockaddr_in *name) {
  uint64_t key = ((uint64_t)name->sin_addr.s_addr << 16) | name->sin_port;
  return (uint32_t)((key * 0x9e3779b97f4a7c15u) >> 48) & (SLOTS - 1);
}

static int is_same(const struct sockaddr_in *a, const struct sockaddr_in *b) {
  return a->sin_addr.s_addr == b->sin_addr.s_addr && a->sin_port == b->sin_port;
}

/* The entry of this source, or the free one where it belongs: port 0 is nobody's. */
static entry_t *find(const struct sockaddr_in *from) {
  uint32_t slot = slot_of(from);
  while (table[slot].from.sin_port && !is_same(&table[slot].from, from)) slot = (slot + 1) & (SLOTS - 1);
  return &table[slot];
}

static void add_pair(const char *a, int a_port, const char *b, int b_port) {
  struct sockaddr_in ends[2] = {
      {.sin_family = AF_INET, .sin_port = htons((uint16_t)a_port), .sin_addr.s_addr = inet_addr(a)},
      {.sin_family = AF_INET, .sin_port = htons((uint16_t)b_port), .sin_addr.s_addr = inet_addr(b)},
  };
  if ((taken += 2) > SLOTS / 2) {
    fprintf(stderr, "forward: too many pairs\n");
    exit(2);
  }
  for (int i = 0; i < 2; i++) *find(&ends[i]) = (entry_t){.from = ends[i], .to = ends[1 - i]};
}

static void prepare(void) {
  bytes = calloc(BATCH, STRIDE);
  if (!bytes) die("calloc");
  for (int i = 0; i < BATCH; i++) {
    in_vectors[i] = (struct iovec){.iov_base = bytes + (size_t)i * STRIDE, .iov_len = 65536};
    in[i].msg_hdr = (struct msghdr){.msg_name = &names[i], .msg_iov = &in_vectors[i], .msg_iovlen = 1, .msg_control = in_control[i]};
    out[i].msg_hdr = (struct msghdr){.msg_namelen = sizeof names[i], .msg_iov = &out_vectors[i], .msg_iovlen = 1};
  }
}

/* The length of the segments that GRO left together; 0 if there is one only. */
static int segment_of(struct msghdr *header) {
  struct cmsghdr *control = CMSG_FIRSTHDR(header);
  int segment = 0;
  if (control && control->cmsg_level == SOL_UDP && control->cmsg_type == UDP_GRO) memcpy(&segment, CMSG_DATA(control), sizeof segment);
  return segment;
}

static void set_segment(struct msghdr *header, uint8_t *room, int segment) {
  uint16_t value = (uint16_t)segment;
  header->msg_control = segment ? room : NULL;
  header->msg_controllen = segment ? CMSG_SPACE(sizeof value) : 0;
  if (!segment) return;
  struct cmsghdr *control = CMSG_FIRSTHDR(header);
  *control = (struct cmsghdr){.cmsg_level = SOL_UDP, .cmsg_type = UDP_SEGMENT, .cmsg_len = CMSG_LEN(sizeof value)};
  memcpy(CMSG_DATA(control), &value, sizeof value);
}

/* Takes one batch and sends it on; gives how many messages came. */
static int forward(void) {
  for (int i = 0; i < BATCH; i++) {
    in[i].msg_hdr.msg_namelen = sizeof names[i];
    in[i].msg_hdr.msg_controllen = sizeof in_control[i];
  }
  int count = recvmmsg(fd, in, BATCH, MSG_DONTWAIT, NULL), messages = 0;
  for (int i = 0; i < count; i++) {
    entry_t *entry = find(&names[i]);
    if (!entry->from.sin_port) continue;
    out_vectors[messages] = (struct iovec){.iov_base = in_vectors[i].iov_base, .iov_len = in[i].msg_len};
    out[messages].msg_hdr.msg_name = &entry->to;
    int segment = segment_of(&in[i].msg_hdr);
    set_segment(&out[messages].msg_hdr, out_control[messages], segment < (int)in[i].msg_len ? segment : 0);
    messages++;
  }
  for (int done = 0; done < messages;) {
    int sent = sendmmsg(fd, out + done, (unsigned)(messages - done), MSG_DONTWAIT);
    done += sent > 0 ? sent : 1; /* What the kernel does not take is lost. */
  }
  return count;
}

static void obey(const char *line) {
  char a[64], b[64];
  int a_port, b_port;
  if (strcmp(line, "bind") == 0) open_socket();
  else if (strcmp(line, "paired") == 0) puts("paired");
  else if (sscanf(line, "pair %63s %d %63s %d", a, &a_port, b, &b_port) == 4) add_pair(a, a_port, b, b_port);
  else {
    fprintf(stderr, "forward: no such command\n");
    exit(2);
  }
}

/* Takes the whole lines of `buffer`; gives how many bytes of an unfinished one remain at its start. */
static size_t take_lines(char *buffer, size_t length) {
  char *at = buffer, *end;
  while ((end = memchr(at, '\n', length - (size_t)(at - buffer)))) {
    *end = 0;
    obey(at);
    at = end + 1;
  }
  size_t rest = length - (size_t)(at - buffer);
  memmove(buffer, at, rest);
  return rest;
}

int main(void) {
  static char buffer[1 << 16];
  size_t length = 0;
  prepare();
  for (;;) {
    struct pollfd polled[2] = {{.fd = fd, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
    if (poll(polled, 2, -1) < 0) die("poll");
    if (polled[0].revents)
      while (forward() >= WORTH_ANOTHER_LOOK) continue;
    if (!polled[1].revents) continue;
    ssize_t count = read(0, buffer + length, sizeof buffer - length);
    if (count <= 0) return 0;
    length = take_lines(buffer, length + (size_t)count);
    fflush(stdout);
  }
}
