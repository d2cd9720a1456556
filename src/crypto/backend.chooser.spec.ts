import { describe, expect, it } from '@jest/globals';
import { EVERY_BACKEND } from '../../test/vectors/every-backend.js';
import type { CryptoBackend } from '../protocol/crypto-backend.js';
import { CANDIDATES, chooseBackend, type BackendCandidate } from './backend.chooser.js';
import { firstWrongAnswer } from './known-answers.js';
import { nodeBackend } from './node.backend.js';

const absent = (name: CryptoBackend['name']): BackendCandidate => ({
  name,
  load: () => {
    throw Object.assign(new Error('Cannot find package in /some/path'), {
      code: 'MODULE_NOT_FOUND',
    });
  },
});
const present = (backend: CryptoBackend): BackendCandidate => ({
  name: backend.name,
  load: () => backend,
});

describe('the choice of a back end', () => {
  it('is sodium, node, noble in this order', () => {
    expect(CANDIDATES.map(({ name }) => name)).toEqual(['sodium', 'node', 'noble']);
    expect(chooseBackend().backend.name).toBe('sodium');
  });

  it('falls to node where sodium-native is not installed, and says so without a path', () => {
    const { backend, reason } = chooseBackend([absent('sodium'), present(nodeBackend)]);
    expect(backend).toBe(nodeBackend);
    expect(reason).toBe(
      'sodium cannot be loaded (MODULE_NOT_FOUND); node gives the published answers',
    );
  });

  it('passes over a back end that loads and is wrong', () => {
    const wrong: CryptoBackend = {
      ...nodeBackend,
      name: 'sodium',
      x25519: (_ours, _theirs, out) => out.fill(1).length > 0,
    };
    expect(chooseBackend([present(wrong), present(nodeBackend)]).reason).toBe(
      'sodium lacks X25519 or gets it wrong; node gives the published answers',
    );
  });

  it('throws where nothing works, and never goes on without', () => {
    expect(() => chooseBackend([absent('sodium'), absent('noble')])).toThrow(
      'no cryptographic back end works: sodium cannot be loaded (MODULE_NOT_FOUND); noble',
    );
    expect(() => chooseBackend([])).toThrow();
  });
});

describe('the known answers', () => {
  it.each(EVERY_BACKEND)('are those of the %s back end', (_name, backend) => {
    expect(firstWrongAnswer(backend)).toBeUndefined();
  });

  it('notice a cipher that opens everything, a verifier that says yes to nothing and a missing primitive', () => {
    const right = nodeBackend.aead('ChaChaPoly');
    expect(firstWrongAnswer({ ...nodeBackend, aead: () => ({ ...right, open: () => true }) })).toBe(
      'ChaChaPoly',
    );
    expect(firstWrongAnswer({ ...nodeBackend, ed25519Verify: () => false })).toBe('Ed25519');
    const hash: CryptoBackend['hash'] = () => {
      throw new Error('unsupported');
    };
    expect(firstWrongAnswer({ ...nodeBackend, hash })).toBe('BLAKE2s');
  });
});
