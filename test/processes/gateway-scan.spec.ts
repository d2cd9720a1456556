import { beforeAll, describe, expect, it } from '@jest/globals';
import { inNamespaces } from '../faults/nat-run.js';
import type { Scanned } from './gateway-scan.js';

let found: Scanned;
beforeAll(async () => {
  found = (await inNamespaces('../processes/gateway-scan.ts', 120_000)) as Scanned; // Written by that program.
}, 130_000);

describe('a gateway on a host with two interfaces, to nmap on another machine', () => {
  it('S11, S72: has one open port of 65,535 on the interface for clients, and the one for relays on the other', () => {
    expect(found.open.public).toEqual([found.ports.public]);
    expect(found.open.internal).toEqual([found.ports.internal]);
  });

  it('S11: has no socket but those of TCP', () => {
    expect(found.otherSockets).toBe(0);
  });

  it('S18: speaks TLS 1.3 alone, with the three suites of RFC 8446 that it is known to have', () => {
    expect(found.versions).toEqual(['TLSv1.3']);
    expect(found.suites).toEqual([
      'TLS_AKE_WITH_AES_128_GCM_SHA256',
      'TLS_AKE_WITH_AES_256_GCM_SHA384',
      'TLS_AKE_WITH_CHACHA20_POLY1305_SHA256',
    ]);
  });
});
