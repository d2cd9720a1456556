import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { inNamespaces } from '../faults/nat-run.js';
import type { SeenOnWire } from './gateway-privacy-wire.js';

/** change_cipher_spec, handshake, application_data; an alert in the clear would be an error. */
const RECORDS_OF_TLS_1_3 = [20, 22, 23];

const page = readFileSync('docs/privacy.md', 'utf8');
/** The lengths that docs/privacy.md declares for frames of a type. */
function isDeclared(type: string, length: number): boolean {
  const [, lengths] = new RegExp(`^\\| \`${type}\` [A-Z]+ \\| ([^|]+) \\|`, 'm').exec(page) ?? [];
  const numbers = [...(lengths ?? '').matchAll(/[\d,]*\d/g)].map(([number]) =>
    Number(number.replace(',', '')),
  );
  const [most] = numbers;
  return lengths?.startsWith('at most') ? length <= most! : numbers.includes(length);
}

let seen: SeenOnWire;
beforeAll(async () => {
  seen = (await inNamespaces('../processes/gateway-privacy-wire.ts', 170_000)) as SeenOnWire; // Written by that program.
}, 180_000);

describe('everything on the wire on a day on which two couples met', () => {
  it('S45: is heard, and goes between endpoints, gateway and relay and to nobody else', () => {
    expect(seen.packets).toBeGreaterThan(300);
    expect([seen.dropped, seen.others]).toEqual([0, 0]);
    // `health` is the test that asks whether programs are ready.
    expect(seen.flows).toEqual(['tcp gateway', 'tcp health', 'tcp registry', 'udp relay']);
  });

  it('S9, S45, S49, S50, S51: holds no private key, no text, file, frame or name, no account and no device', () => {
    expect(seen.control).toEqual([
      'a session id in a lease',
      'the name of the host',
      'a session id in a header',
    ]);
    expect(seen.found).toEqual([]);
  });

  it('S45: is TLS 1.3 to the gateway, which shows the name of the server and nothing else', () => {
    expect(seen.records).toEqual({ gateway: RECORDS_OF_TLS_1_3, registry: RECORDS_OF_TLS_1_3 });
    expect(seen.noRecords).toBe(0);
    expect(seen.serverNames).toEqual(['localhost']);
  });

  it('S45, S65: is, between endpoints and relay, the frames of docs/privacy.md in the lengths that stand there', () => {
    expect(Object.keys(seen.lengths)).toEqual(
      expect.arrayContaining(['10', '20', '21', '22', '25']),
    );
    const strange = Object.entries(seen.lengths).flatMap(([type, lengths]) =>
      lengths.filter((length) => !isDeclared(type, length)).map((length) => `${type}: ${length}`),
    );
    expect(strange).toEqual([]);
    expect(isDeclared('10', 600)).toBe(false);
  });

  it('S45, S53: shows of a lease the claims of docs/privacy.md', () => {
    const [, declared] = /^A lease says ([^:]+):/m.exec(page) ?? [];
    expect(declared?.match(/[a-z]+/g)).toEqual(seen.claims);
  });
});
