import { describe, expect, it } from '@jest/globals';
import { ActionableError } from '../../runtime/errors.js';
import { busSubjects, natsServers } from './nats-servers.js';
import { reconnectDelayMs } from './reconnect-delay.js';
import { MAX_REPLICAS, Replicas } from './replicas.js';

describe('a replica that is heard', () => {
  it('is alive for three seconds and not at three seconds', () => {
    const replicas = new Replicas();
    expect(replicas.heard('b', 1_000)).toBe('new');
    expect(replicas.heard('b', 2_000)).toBe('known');
    expect(replicas.live(4_999)).toEqual(['b']);
    expect(replicas.live(5_000)).toEqual([]);
    expect(replicas.heard('b', 5_000)).toBe('new');
  });
  it('is forgotten at once when it says that it stops', () => {
    const replicas = new Replicas();
    replicas.heard('b', 0);
    replicas.gone('b');
    expect(replicas.live(0)).toEqual([]);
  });
  it('is not remembered beyond 64 others, until some of them are silent', () => {
    const replicas = new Replicas();
    for (let n = 0; n < MAX_REPLICAS; n++) replicas.heard(`r${n}`, 0);
    expect(replicas.heard('late', 1_000)).toBe('too-many');
    expect(replicas.heard('r0', 1_000)).toBe('known');
    expect(replicas.heard('late', 3_000)).toBe('new');
  });
});

describe('the way to NATS', () => {
  it('is tried again after 50 ms at the earliest and after 2 s at the latest', () => {
    expect(reconnectDelayMs(0, 0)).toBe(50);
    expect(reconnectDelayMs(0, 1)).toBe(100);
    expect(reconnectDelayMs(1_000_000, 0)).toBe(1_000);
    expect(reconnectDelayMs(1_000_000, 1)).toBe(2_000);
  });
  it('is TLS to a host and a port', () => {
    expect(natsServers(['tls://nats.messaging.svc:4222', 'tls://[fd00::1]:4222'])).toEqual([
      { url: 'tls://nats.messaging.svc:4222', host: 'nats.messaging.svc', port: 4_222 },
      { url: 'tls://[fd00::1]:4222', host: 'fd00::1', port: 4_222 },
    ]);
  });
  it.each([
    'nats://nats.messaging.svc:4222',
    'tls://user:secret@nats.messaging.svc:4222',
    'tls://nats.messaging.svc',
    'tls://nats.messaging.svc:65536',
    'TLS://nats:4222/path',
    'ws://nats:443',
    '',
  ])('is never %s, and the error does not repeat it', (server) => {
    expect(() => natsServers([server])).toThrow(ActionableError);
    try {
      natsServers([server]);
    } catch (error) {
      expect(String(error)).not.toContain('secret');
    }
  });
  it('never leads to subjects of another gateway', () => {
    expect(busSubjects('uid-1').everybody).toBe('sallyport.uid-1.all');
    for (const uid of ['', '*', '>', 'a.b', 'a b', 'x'.repeat(65)])
      expect(() => busSubjects(uid)).toThrow(ActionableError);
  });
});
