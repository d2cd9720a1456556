/*
 * What generator and forwarder of the relay bench have in common: the headers, the numbers that older ones lack, and the
 * end of a program that cannot go on.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

/* Bytes from one buffer to the next. Not a power of two: buffers do not meet in the same sets of the cache. */
enum { STRIDE = 65536 + 192 };

static void die(const char *what) {
  perror(what);
  exit(1);
}

static int port_of(int fd) {
  struct sockaddr_in name;
  socklen_t length = sizeof name;
  if (getsockname(fd, (struct sockaddr *)&name, &length) < 0) die("getsockname");
  return ntohs(name.sin_port);
}
