/*
 * Load generator and sink of the relay bench: one thread on one core, loopback only. It plays both ends of every flow:
 * flow i is the client 127.10.x.y and the server 127.11.x.y with x.y = i + 1, all on two sockets, so that one system
 * call carries datagrams of many flows. Commands are lines on standard input, answers are lines on standard output:
 *   open                       new sockets        -> opened CLIENT_PORT SERVER_PORT
 *   target A.B.C.D PORT        where datagrams go -> target
 *   prefix FLOW HEX            what begins each datagram of a flow (no answer)
 *   send SIDE FLOW HEX         one datagram of side 0 or 1 to the target (no answer)
 *   run KEY=NUMBER ...         a measurement      -> ran KEY=NUMBER ...
 * Between commands every datagram that comes in is a line: got SIDE FLOW HEX. It ends with its standard input.
 * A datagram of a run, behind its prefix: magic u32, flow u32, sequence u64, time u64 (ns), zeros.
 */
#include "udp-sockets.h"
#include <netinet/ip.h>
#include <sched.h>
#include <time.h>

enum {
  BATCH = 64,
  MAX_FLOWS = 16384,
  MAX_PREFIX = 32,
  STAMP = 24,
  WHOLE = 65536,
  BEGINNING = 64, /* Prefix and stamp. */
  MAGIC = 0x53504c44,
  LATENCIES = 1 << 17, /* One bucket per microsecond; the last one holds all above 131 ms. */
  SPOOFED_BYTES = 600,
};

typedef struct {
  uint8_t prefix[MAX_PREFIX];
  int prefix_length;
  uint64_t sent, expected;
} flow_t;

typedef struct {
  long rate, ms, burst, flows, bytes, offset, spoof;
} run_t;

typedef struct {
  struct mmsghdr messages[BATCH];
  struct iovec vectors[BATCH];
  struct sockaddr_in names[BATCH];
  uint8_t control[BATCH][128];
  uint8_t *bytes;
} vector_t;

static flow_t flows[MAX_FLOWS];
static int sockets[2] = {-1, -1}, raw_socket = -1;
static struct sockaddr_in target;
static vector_t out, in, fake;
static uint32_t latencies[LATENCIES];
static uint64_t received, misordered, corrupt, samples;
static uint64_t noise = 0x9e3779b97f4a7c15u;

static uint64_t now_ns(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

static uint64_t random64(void) {
  noise ^= noise << 13;
  noise ^= noise >> 7;
  noise ^= noise << 17;
  return noise;
}

static in_addr_t address_of(int side, long flow) {
  return htonl((127u << 24) | ((uint32_t)(10 + side) << 16) | (uint32_t)(flow + 1));
}

static void set_option(int fd, int level, int name, int value, int must) {
  if (setsockopt(fd, level, name, &value, sizeof value) < 0 && must) die("setsockopt");
}

static int open_socket(void) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) die("socket");
  /* More than rmem_max allows is for root alone. */
  set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20, 0);
  set_option(fd, SOL_SOCKET, SO_SNDBUF, 32 << 20, 0);
  set_option(fd, SOL_UDP, UDP_GRO, 1, 1);
  /* No fragments, and so no fragment ids, which cost an atomic step each. */
  set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO, 1);
  struct sockaddr_in any = {.sin_family = AF_INET};
  if (bind(fd, (struct sockaddr *)&any, sizeof any) < 0) die("bind");
  return fd;
}

static void open_both(void) {
  for (int side = 0; side < 2; side++) {
    if (sockets[side] >= 0) close(sockets[side]);
    sockets[side] = open_socket();
  }
  memset(flows, 0, sizeof flows);
  printf("opened %d %d\n", port_of(sockets[0]), port_of(sockets[1]));
}

static int from_hex(const char *hex, uint8_t *bytes, int most) {
  int count = 0;
  for (; hex[0] && hex[1] && count < most; hex += 2) {
    unsigned value;
    if (sscanf(hex, "%2x", &value) != 1) break;
    bytes[count++] = (uint8_t)value;
  }
  return count;
}

/* Appends a control message to a header whose msg_control has room for it. */
static void add_control(struct msghdr *header, int level, int type, const void *value, size_t length) {
  struct cmsghdr *control = (struct cmsghdr *)((uint8_t *)header->msg_control + header->msg_controllen);
  control->cmsg_level = level;
  control->cmsg_type = type;
  control->cmsg_len = CMSG_LEN(length);
  memcpy(CMSG_DATA(control), value, length);
  header->msg_controllen += CMSG_SPACE(length);
}

static void set_source(struct msghdr *header, int side, long flow) {
  struct in_pktinfo source = {.ipi_spec_dst.s_addr = address_of(side, flow)};
  add_control(header, IPPROTO_IP, IP_PKTINFO, &source, sizeof source);
}

static void prepare(vector_t *vector) {
  vector->bytes = calloc(BATCH, STRIDE);
  if (!vector->bytes) die("calloc");
  for (int i = 0; i < BATCH; i++) {
    vector->vectors[i].iov_base = vector->bytes + (size_t)i * STRIDE;
    vector->messages[i].msg_hdr = (struct msghdr){
        .msg_name = &vector->names[i],
        .msg_namelen = sizeof vector->names[i],
        .msg_iov = &vector->vectors[i],
        .msg_iovlen = 1,
        .msg_control = vector->control[i],
    };
  }
}

static void send_one(int side, long flow, const char *hex) {
  struct msghdr *header = &out.messages[0].msg_hdr;
  out.vectors[0].iov_len = (size_t)from_hex(hex, out.bytes, 65000);
  out.names[0] = target;
  header->msg_controllen = 0;
  set_source(header, side, flow);
  if (sendmsg(sockets[side], header, 0) < 0) die("sendmsg");
}

static struct cmsghdr *control_of(struct msghdr *header, int level, int type) {
  struct cmsghdr *control = CMSG_FIRSTHDR(header);
  while (control && !(control->cmsg_level == level && control->cmsg_type == type))
    control = CMSG_NXTHDR(header, control);
  return control;
}

/* In a run only the beginning is copied: the sink must not be what limits. `msg_len` is the whole length all the same. */
static int receive(int side, size_t room) {
  for (int i = 0; i < BATCH; i++) {
    in.vectors[i].iov_len = room;
    in.messages[i].msg_hdr.msg_controllen = sizeof in.control[i];
    in.messages[i].msg_hdr.msg_namelen = sizeof in.names[i];
  }
  return recvmmsg(sockets[side], in.messages, BATCH, MSG_DONTWAIT | MSG_TRUNC, NULL);
}

/* The length of the segments that GRO left together; the whole if there is one only. */
static int segment_of(struct mmsghdr *message) {
  struct cmsghdr *control = control_of(&message->msg_hdr, SOL_UDP, UDP_GRO);
  int segment = 0;
  if (control) memcpy(&segment, CMSG_DATA(control), sizeof segment);
  return segment > 0 ? segment : (int)message->msg_len;
}

static void print_received(int side) {
  int count = receive(side, WHOLE);
  for (int i = 0; i < count; i++) {
    struct cmsghdr *control = control_of(&in.messages[i].msg_hdr, IPPROTO_IP, IP_PKTINFO);
    if (!control) continue;
    struct in_pktinfo to;
    memcpy(&to, CMSG_DATA(control), sizeof to);
    printf("got %d %d ", side, (int)(ntohl(to.ipi_addr.s_addr) & 0xffff) - 1);
    for (unsigned at = 0; at < in.messages[i].msg_len; at++) printf("%02x", in.bytes[(size_t)i * STRIDE + at]);
    putchar('\n');
  }
}

static void tell_addresses(int on) {
  for (int side = 0; side < 2; side++) set_option(sockets[side], IPPROTO_IP, IP_PKTINFO, on, 1);
}

/* ---- a run -------------------------------------------------------------------------------------------------- */

/* Segments that come together were sent together: the stamp of the first speaks for all of them. */
static void take_message(const run_t *run, const uint8_t *bytes, struct mmsghdr *message, uint64_t now) {
  uint32_t magic, flow;
  uint64_t sequence, sent;
  int length = (int)message->msg_len, segment = segment_of(message);
  uint64_t count = (uint64_t)((length + segment - 1) / segment);
  memcpy(&magic, bytes + run->offset, 4);
  memcpy(&flow, bytes + run->offset + 4, 4);
  memcpy(&sequence, bytes + run->offset + 8, 8);
  memcpy(&sent, bytes + run->offset + 16, 8);
  if (length < run->offset + STAMP || magic != MAGIC || flow >= (uint32_t)run->flows) {
    corrupt += count;
    return;
  }
  received += count;
  if (sequence < flows[flow].expected) misordered += count;
  else flows[flow].expected = sequence + count;
  uint64_t us = (now - sent) / 1000;
  latencies[us < LATENCIES ? us : LATENCIES - 1]++;
  samples++;
}

static int take_batch(const run_t *run) {
  int count = receive(1, BEGINNING);
  uint64_t now = now_ns();
  for (int i = 0; i < count; i++) take_message(run, in.bytes + (size_t)i * STRIDE, &in.messages[i], now);
  return count;
}

static uint64_t send_batch(const run_t *run, long messages, long *next) {
  uint64_t now = now_ns();
  const uint32_t magic = MAGIC;
  uint16_t segment = (uint16_t)run->bytes;
  for (long i = 0; i < messages; i++) {
    uint32_t index = (uint32_t)*next;
    *next = *next + 1 < run->flows ? *next + 1 : 0;
    flow_t *flow = &flows[index];
    for (long part = 0; part < run->burst; part++) {
      uint8_t *at = out.bytes + (size_t)i * STRIDE + (size_t)(part * run->bytes);
      memcpy(at, flow->prefix, (size_t)flow->prefix_length);
      at += flow->prefix_length;
      memcpy(at, &magic, 4);
      memcpy(at + 4, &index, 4);
      memcpy(at + 8, &flow->sent, 8);
      memcpy(at + 16, &now, 8);
      flow->sent++;
    }
    struct msghdr *header = &out.messages[i].msg_hdr;
    out.vectors[i].iov_len = (size_t)(run->burst * run->bytes);
    out.names[i] = target;
    header->msg_controllen = 0;
    set_source(header, 0, index);
    if (run->burst > 1) add_control(header, SOL_UDP, UDP_SEGMENT, &segment, sizeof segment);
  }
  long done = 0;
  while (done < messages) {
    int count = sendmmsg(sockets[0], out.messages + done, (unsigned)(messages - done), 0);
    if (count > 0) done += count;
    else if (errno != EAGAIN && errno != ENOBUFS && errno != EINTR) die("sendmmsg");
  }
  return (uint64_t)(messages * run->burst);
}

/* What a stranger may send: of every kind, none of it good. Gives the length. */
static int strange_payload(uint8_t *bytes, uint64_t number) {
  static const uint8_t types[] = {0x10, 0x20, 0x22, 0x01, 0x10, 0x24};
  static const int lengths[] = {200, 512, 400, 120, 200, 92};
  int kind = (int)(number % 8);
  for (int at = 0; at < 64; at += 8) {
    uint64_t value = random64();
    memcpy(bytes + at, &value, 8);
  }
  if (kind == 6) return 64; /* noise */
  if (kind == 7) {          /* a STUN Binding request (RFC 8489, 6) */
    memcpy(bytes, "\x00\x01\x00\x00\x21\x12\xa4\x42", 8);
    return 20;
  }
  bytes[0] = 0x57;
  bytes[1] = 0x01;
  bytes[2] = types[kind];
  bytes[3] = 0;
  if (kind == 4) memcpy(bytes, flows[0].prefix, 20); /* a session that exists, from an address that is not its own */
  if (kind == 1) memset(bytes + 36, 0, (size_t)lengths[kind] - 36);
  if (kind == 2) { /* a PROVE whose lengths agree: it goes as far as its cookie */
    bytes[76] = 0;
    bytes[77] = (uint8_t)((lengths[kind] - 143) >> 8);
    bytes[78] = (uint8_t)(lengths[kind] - 143);
  }
  return lengths[kind];
}

/* IPv4 and UDP headers by hand; sources are all over 127.128.0.0/10, so that answers stay on loopback. */
static uint64_t send_strange(long messages, uint64_t number) {
  for (long i = 0; i < messages; i++) {
    uint8_t *bytes = fake.bytes + (size_t)i * STRIDE;
    int length = strange_payload(bytes + 28, number + (uint64_t)i);
    struct iphdr ip = {.version = 4,
                       .ihl = 5,
                       .ttl = 64,
                       .protocol = IPPROTO_UDP,
                       .tot_len = htons((uint16_t)(28 + length)),
                       .saddr = htonl(0x7f800000u | (uint32_t)(random64() & 0x3fffff)),
                       .daddr = target.sin_addr.s_addr};
    struct udphdr udp = {.source = htons((uint16_t)(1024 + random64() % 64000)),
                         .dest = target.sin_port,
                         .len = htons((uint16_t)(8 + length))};
    memcpy(bytes, &ip, 20);
    memcpy(bytes + 20, &udp, 8);
    fake.vectors[i].iov_len = (size_t)(28 + length);
    fake.names[i] = target;
    fake.messages[i].msg_hdr.msg_controllen = 0;
    fake.messages[i].msg_hdr.msg_control = NULL;
  }
  int count = sendmmsg(raw_socket, fake.messages, (unsigned)messages, 0);
  return count > 0 ? (uint64_t)count : 0;
}

/* How many of `most` are due at `rate` after `elapsed`. Time that this thread was not running is not caught up. */
static long due_of(long rate, uint64_t elapsed, uint64_t *owed_from, uint64_t sent, long most) {
  if (rate == 0) return most;
  uint64_t wanted = (uint64_t)((double)(elapsed - *owed_from) * (double)rate / 1e9);
  if (wanted <= sent) return 0;
  uint64_t due = wanted - sent, patience = (uint64_t)rate / 500 + (uint64_t)most;
  if (due > patience) *owed_from += (uint64_t)((double)(due - patience) * 1e9 / (double)rate);
  return due > (uint64_t)most ? most : (long)due;
}

static long percentile(double part) {
  uint64_t rank = (uint64_t)((double)samples * part), seen = 0;
  for (long us = 0; us < LATENCIES; us++)
    if ((seen += latencies[us]) > rank) return us;
  return 0;
}

static void measure(const run_t *run) {
  if (run->spoof > 0 && raw_socket < 0) {
    raw_socket = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
    if (raw_socket < 0) die("raw socket (needs CAP_NET_RAW)");
    set_option(raw_socket, SOL_SOCKET, SO_SNDBUF, 32 << 20, 0);
  }
  tell_addresses(0);
  while (receive(0, BEGINNING) > 0 || receive(1, BEGINNING) > 0) continue;
  memset(latencies, 0, sizeof latencies);
  received = misordered = corrupt = samples = 0;
  for (long i = 0; i < run->flows; i++) flows[i].sent = flows[i].expected = 0;
  for (int i = 0; i < BATCH; i++) memset(out.bytes + (size_t)i * STRIDE, 0, (size_t)(run->burst * run->bytes));
  uint64_t begin = now_ns(), elapsed = 0, sent = 0, spoofed = 0, owed = 0, spoof_owed = 0;
  long next = 0;
  while ((elapsed = now_ns() - begin) < (uint64_t)run->ms * 1000000u) {
    long messages = due_of(run->rate, elapsed, &owed, sent, BATCH * run->burst) / run->burst;
    if (messages > 0) sent += send_batch(run, messages, &next);
    if (run->spoof > 0) {
      long strange = due_of(run->spoof, elapsed, &spoof_owed, spoofed, BATCH);
      if (strange > 0) spoofed += send_strange(strange, spoofed);
    }
    for (int i = 0; i < 4 && take_batch(run) == BATCH; i++) continue;
  }
  uint64_t during = received, quiet = now_ns();
  while (received < sent && now_ns() - quiet < 200000000u)
    if (take_batch(run) > 0) quiet = now_ns();
  while (receive(0, BEGINNING) > 0) continue;
  tell_addresses(1);
  printf("ran sent=%llu received=%llu during=%llu elapsed_ns=%llu p50=%ld p99=%ld p999=%ld misordered=%llu corrupt=%llu spoofed=%llu\n",
         (unsigned long long)sent, (unsigned long long)received, (unsigned long long)during, (unsigned long long)elapsed,
         percentile(0.5), percentile(0.99), percentile(0.999), (unsigned long long)misordered,
         (unsigned long long)corrupt, (unsigned long long)spoofed);
}

static void parse_run(char *arguments) {
  run_t run = {.burst = 1, .flows = 1, .bytes = 1200, .ms = 1000};
  struct { const char *name; long *value; } keys[] = {
      {"rate", &run.rate},   {"ms", &run.ms},         {"burst", &run.burst}, {"flows", &run.flows},
      {"bytes", &run.bytes}, {"offset", &run.offset}, {"spoof", &run.spoof},
  };
  for (char *word = strtok(arguments, " \n"); word; word = strtok(NULL, " \n")) {
    char *equals = strchr(word, '=');
    for (size_t i = 0; equals && i < sizeof keys / sizeof *keys; i++)
      if (strncmp(word, keys[i].name, (size_t)(equals - word)) == 0 && !keys[i].name[equals - word])
        *keys[i].value = atol(equals + 1);
  }
  int fits = run.flows >= 1 && run.flows <= MAX_FLOWS && run.burst >= 1 && run.burst * run.bytes <= 65000 &&
             run.bytes >= flows[0].prefix_length + STAMP && run.ms >= 1 && run.ms <= 120000;
  if (!fits) {
    fprintf(stderr, "load: a run out of bounds\n");
    exit(2);
  }
  measure(&run);
}

static void obey(char *line) {
  static char hex[140000];
  char address[64];
  int a, b;
  if (strncmp(line, "open", 4) == 0) {
    open_both();
    tell_addresses(1);
  } else if (sscanf(line, "target %63s %d", address, &a) == 2) {
    target = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)a)};
    if ((ntohl(inet_addr(address)) >> 24) != 127) exit(2); /* Loopback and nowhere else. */
    target.sin_addr.s_addr = inet_addr(address);
    puts("target");
  } else if (sscanf(line, "prefix %d %139999s", &a, hex) == 2 && a >= 0 && a < MAX_FLOWS) {
    flows[a].prefix_length = from_hex(hex, flows[a].prefix, MAX_PREFIX);
  } else if (sscanf(line, "send %d %d %139999s", &a, &b, hex) == 3 && (a == 0 || a == 1) && b >= 0 && b < MAX_FLOWS) {
    send_one(a, b, hex);
  } else if (strncmp(line, "run", 3) == 0) {
    parse_run(line + 3);
  } else {
    fprintf(stderr, "load: no such command\n");
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

int main(int argc, char **argv) {
  static char buffer[1 << 20];
  size_t length = 0;
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(argc > 1 ? atoi(argv[1]) : 0, &cores);
  if (sched_setaffinity(0, sizeof cores, &cores) < 0) die("sched_setaffinity");
  prepare(&out);
  prepare(&in);
  prepare(&fake);
  for (;;) {
    fflush(stdout);
    struct pollfd polled[3] = {{.fd = 0, .events = POLLIN}, {.fd = sockets[0], .events = POLLIN}, {.fd = sockets[1], .events = POLLIN}};
    if (poll(polled, 3, -1) < 0 && errno != EINTR) die("poll");
    for (int side = 0; side < 2; side++)
      if (polled[side + 1].revents) print_received(side);
    if (!polled[0].revents) continue;
    ssize_t count = read(0, buffer + length, sizeof buffer - length);
    if (count <= 0) return 0;
    length = take_lines(buffer, length + (size_t)count);
  }
}
