/*
 * An endpoint as a process of its own. The first line of standard input is its configuration, keys and all (never the
 * command line); each further line is a command. Each line of standard output is an event, as JSON.
 */
import { createHash, randomFillSync } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Endpoint } from '../../src/client/endpoint.runner.js';
import { chooseBackend, CANDIDATES } from '../../src/crypto/backend.chooser.js';
import type { CryptoBackend } from '../../src/protocol/crypto-backend.js';
import { verifyDeviceBinding } from '../../src/protocol/identity/device-binding.js';
import { KeyStore } from '../../src/protocol/key-store.js';
import { systemClock } from '../../src/runtime/system.clock.js';
import { anAccount, expecting } from '../identities.js';
import { fileContent, type EndpointCommand, type EndpointStart } from './endpoint-messages.js';
import { EndpointTalk } from './endpoint-talk.js';

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (event: string, more: object = {}): void => {
  process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);
};

/** Keys of ChaCha20-Poly1305 as they lie in the key store: views, so that this program makes no copy of them. */
const usedKeys = new Set<Uint8Array>();

function watched(backend: CryptoBackend): CryptoBackend {
  return {
    ...backend,
    aead: (name) => {
      const aead = backend.aead(name);
      return {
        seal: (key, ...more) => {
          usedKeys.add(key);
          aead.seal(key, ...more);
        },
        open: (key, ...more) => {
          usedKeys.add(key);
          return aead.open(key, ...more);
        },
      };
    },
  };
}

/** The keys that are live, each 32 bytes, straight from where they lie. */
function writeKeys(path: string): void {
  const file = openSync(path, 'w', 0o600);
  for (const key of usedKeys) if (key.some((byte) => byte !== 0)) writeSync(file, key);
  closeSync(file);
  usedKeys.clear();
  say('keys-written');
}

const start = JSON.parse((await lines.next()).value as string) as EndpointStart;
const candidate = CANDIDATES.find(({ name }) => name === start.backend);
const { backend } = chooseBackend(candidate ? [candidate] : CANDIDATES);
const self = anAccount(start.self);
const peer = anAccount(start.peer);
const expected = expecting(peer);
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
const isFirst = start.role === 'initiator';

const received = { bytes: 0, expected: 0, hash: createHash('sha256') };
function receiveFile(message: Uint8Array): void {
  if (received.expected === 0) {
    received.expected = Number(Buffer.from(message).readBigUInt64BE());
    return;
  }
  received.hash.update(message);
  received.bytes += message.length;
  if (received.bytes < received.expected) return;
  say('file', { bytes: received.bytes, sha256: received.hash.digest('hex') });
  Object.assign(received, { bytes: 0, expected: 0, hash: createHash('sha256') });
}

let queue: Uint8Array[] = [];
function pushFile(): void {
  while (queue.length > 0) {
    try {
      lastFileId = endpoint.send('file', queue[0]!);
    } catch (error) {
      if ((error as { code?: string }).code === 'ERR_CHANNEL_FULL') return;
      throw error;
    }
    queue.shift();
  }
}
let lastFileId = -1;

const talk = new EndpointTalk((channel, message) => {
  endpoint.send(channel, message);
});

const leaseOf = (lease: EndpointStart['lease']) => ({
  token: Buffer.from(lease.token, 'ascii'),
  relayId: lease.relayId,
  session: bytes(start.session),
  jti: bytes(lease.jti),
  role: isFirst ? ('client' as const) : ('server' as const),
  proofKey: bytes(lease.proofKey),
});

const endpoint = await Endpoint.open({
  clock: systemClock,
  random: (out) => {
    randomFillSync(out);
  },
  bind: start.bind ?? '127.0.0.1',
  pathPolicy: start.pathPolicy ?? 'RelayOnly',
  callMode: 'wideband',
  relay: { addresses: start.relay, lease: leaseOf(start.lease) },
  handshake: {
    backend: start.keysFile === undefined ? backend : watched(backend),
    keys: new KeyStore(),
    role: start.role,
    parties: {
      profile: 'Standard',
      sessionId: bytes(start.session),
      initiatorIdentity: isFirst ? self.identity : peer.identity,
      responderIdentity: isFirst ? peer.identity : self.identity,
      token: bytes(start.token),
    },
    staticKey: self.s,
    binding: self.binding,
    localIndex: randomFillSync(new Uint32Array(1))[0]!,
    judgePeer: (binding, staticKey) => {
      const verdict = verifyDeviceBinding(backend, binding, { ...expected, staticKey });
      return typeof verdict === 'string' ? verdict : 'ok';
    },
    random: (out) => {
      randomFillSync(out);
    },
    nowMs: systemClock.monotonicMs(),
  },
  events: {
    established: () => {
      say('established');
    },
    message: (channel, message) => {
      if (talk.take(channel, message)) return;
      if (channel === 'file') receiveFile(message);
      else say('text', { channel, text: Buffer.from(message).toString() });
    },
    acknowledged: (channel, id) => {
      if (channel !== 'file' || (id === lastFileId && queue.length === 0))
        say('acknowledged', { channel, id });
    },
    writable: pushFile,
    path: (kind) => {
      say('path', { kind });
    },
    relay: (event, relayId) => {
      const reason = 'reason' in event ? event.reason : undefined;
      say('relay', { type: event.type, reason, relayId });
    },
    encryptionFailure: (total) => {
      say('encryption-failure', { total });
    },
    ended: (end) => {
      say('ended', { end });
    },
  },
});
say('started', { udpPort: endpoint.udpPort, backend: backend.name });

function counts(): object {
  return {
    encryptionFailures: endpoint.encryptionFailures,
    refused: Object.fromEntries(endpoint.refused),
    relayRefused: Object.fromEntries(endpoint.relayRefused),
  };
}

const ofTalk = {
  talk: () => {
    talk.begin();
  },
  quiet: () => {
    talk.end();
  },
  traffic: () => {
    say('traffic', { traffic: talk.traffic });
  },
};

async function carryOut(command: EndpointCommand): Promise<void> {
  switch (command.do) {
    case 'text':
      say('sent', { id: endpoint.send('chat', Buffer.from(command.text)) });
      return;
    case 'file': {
      const length = Buffer.alloc(8);
      length.writeBigUInt64BE(BigInt(command.bytes));
      queue = [length, ...fileContent(command.bytes)];
      pushFile();
      return;
    }
    case 'candidate':
      endpoint.addCandidate(command.address, command.port);
      return;
    case 'rebind':
      await endpoint.rebind();
      say('rebound', { udpPort: endpoint.udpPort });
      return;
    case 'renew':
      endpoint.renew(leaseOf(command.lease));
      return;
    case 'add-relay':
      await endpoint.addRelay(command.relay, leaseOf(command.lease));
      return;
    case 'keys':
      writeKeys(start.keysFile!);
      return;
    case 'counts':
      say('counts', counts());
      return;
    case 'close':
      endpoint.close();
      say('closed');
      return;
    default:
      ofTalk[command.do]();
  }
}

for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
  try {
    await carryOut(JSON.parse(line.value) as EndpointCommand);
  } catch (error) {
    say('error', { code: (error as { code?: string }).code, message: String(error) });
  }
}
endpoint.close();
