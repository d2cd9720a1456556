/*
 * Datagrams that the kernel dropped because a socket's receive buffer was full, as /proc/net/udp and /proc/net/udp6 tell
 * (proc(5)): local_address is ADDRESS:PORT in hexadecimal, `drops` the last column.
 */

/** Sum of the drops of all sockets bound to `port`. */
export function dropsOfPort(table: string, port: number): number {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  let drops = 0;
  for (const line of table.split('\n').slice(1)) {
    const columns = line.trim().split(/\s+/);
    if (columns[1]?.endsWith(suffix)) drops += Number(columns.at(-1)) || 0;
  }
  return drops;
}
