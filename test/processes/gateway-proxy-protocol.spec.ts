import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { answerTo, statusOf, tlsTo, upgradeRequest } from './gateway-endpoint.js';
import { HOST } from './gateway-process.js';
import { startServer, type ServerBed } from './gateway-server-bed.js';

const FORGED = '198.51.100.77';
/** HAProxy's PROXY protocol, section 2.1. */
const VERSION_1 = Buffer.from(`PROXY TCP4 ${FORGED} 192.0.2.1 51000 8443\r\n`);
/** Section 2.2: signature, version 2 and PROXY, TCP over IPv4, 12 bytes: source, destination, ports. */
const VERSION_2 = Buffer.from(
  '0d0a0d0a000d0a515549540a 21 11 000c c633644d c0000201 c738 20fb'.replaceAll(' ', ''),
  'hex',
);
const ENDS_WITHIN_MS = 15_000;

let bed: ServerBed;
beforeAll(async () => {
  // Everybody who comes from this machine is a proxy that is trusted to say who asks: in a header, and nowhere else.
  bed = await startServer({
    settings: (settings) => ({
      ...settings,
      trustedProxies: { cidrs: ['127.0.0.0/8'], hops: 1, required: false },
    }),
  });
});
afterAll(async () => {
  await bed.stop();
});

/** Whether a TLS handshake comes about on `socket`. */
async function speaksTls(socket: Socket): Promise<boolean> {
  const tls = connectTls({ socket, ca: bed.place.ca, servername: HOST });
  const outcome = Promise.race([
    once(tls, 'secureConnect', { signal: AbortSignal.timeout(ENDS_WITHIN_MS) }).then(() => true),
    once(tls, 'close', { signal: AbortSignal.timeout(ENDS_WITHIN_MS) }).then(() => false),
  ]).catch(() => false);
  tls.on('error', () => undefined);
  const spoke = await outcome;
  tls.destroy();
  return spoke;
}

describe('a gateway that trusts a proxy which speaks the PROXY protocol', () => {
  it.each([
    ['version 1', VERSION_1],
    ['version 2', VERSION_2],
  ])('T21, S17: reads nothing out of %s before TLS, and ends the connection', async (_, bytes) => {
    const failed = () =>
      bed.metric('sallyport_gateway_tls_handshakes_total{listener="public",outcome="failure"}');
    const before = await failed();
    const socket = connectTcp(bed.place.port, '127.0.0.1');
    socket.write(bytes);
    expect(await speaksTls(socket)).toBe(false);
    expect(bed.facts).toEqual([]);
    expect(await failed()).toBe(before + 1);
  });

  it.each([
    ['version 1', VERSION_1],
    ['version 2', VERSION_2],
  ])('T21, S17: takes %s inside TLS for a request that is none', async (_, bytes) => {
    const socket = await tlsTo(bed.place);
    socket.write(Buffer.concat([bytes, Buffer.from(upgradeRequest())]));
    const [answer] = (await once(socket, 'data', {
      signal: AbortSignal.timeout(ENDS_WITHIN_MS),
    })) as [Buffer];
    expect(statusOf(answer.toString('latin1'))).toBe(400);
    socket.destroy();
    expect(bed.facts).toEqual([]);
  });

  it('T21, S17: goes by what it wrote into its header, whatever was said in other ways', async () => {
    const says = { 'X-Forwarded-For': '198.51.100.1', 'X-Client-IP': FORGED, Via: FORGED };
    expect(statusOf(await answerTo(bed.place, upgradeRequest(says)))).toBe(101);
    expect(bed.facts.map(({ address }) => address)).toEqual(['198.51.100.1']);
  });
});
