/*
 * The least that copying a file over node:tls takes: one end writes what comes to a file, the other one reads a file.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { connect, createServer } from 'node:tls';
import type { AddressInfo } from 'node:net';

/** From the bench. */
export type CopyOrder =
  | { readonly kind: 'receive'; readonly path: string; readonly cert: string; readonly key: string }
  | {
      readonly kind: 'send';
      readonly path: string;
      readonly ca: string;
      readonly port: number;
      readonly host: string;
    };

const tell = (message: object): void => void process.send?.(message);

/** Takes one file after the other; says of each when it is written. */
function receive({ path, cert, key }: Extract<CopyOrder, { kind: 'receive' }>): void {
  const server = createServer({ cert, key, minVersion: 'TLSv1.3' }, (socket) => {
    pipeline(socket, createWriteStream(path, { flush: true })).then(
      () => {
        tell({ written: true });
      },
      (error: unknown) => {
        tell({ failed: String(error) });
      },
    );
  });
  server.listen(0, '127.0.0.1', () => {
    tell({ port: (server.address() as AddressInfo).port }); // It listens on TCP.
  });
}

async function send({ path, ca, port, host }: Extract<CopyOrder, { kind: 'send' }>): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port, ca, servername: host });
  await pipeline(createReadStream(path, { highWaterMark: 1 << 16 }), socket);
  tell({ sent: true });
}

process.on('message', (order: CopyOrder) => {
  if (order.kind === 'receive') receive(order);
  else
    send(order).catch((error: unknown) => {
      tell({ failed: String(error) });
    });
});
process.on('disconnect', () => process.exit(0));
