import { describe, expect, it } from '@jest/globals';

import { imageProblem, imageReference, imageRefusal } from './image.js';

const DIGEST = `sha256:${'ab'.repeat(32)}`;
const OTHER = `sha256:${'cd'.repeat(32)}`;
const render = { repository: 'registry.example.com/sallyport', tag: '0.1.0', digest: DIGEST };

describe('an image reference', () => {
  it('is repository, tag and digest, pulled when absent', () => {
    expect(imageReference(render)).toEqual({
      image: `registry.example.com/sallyport:0.1.0@${DIGEST}`,
      pullPolicy: 'IfNotPresent',
      pullSecrets: [],
    });
  });

  it('without a digest is always pulled, whatever is asked', () => {
    const { repository, tag } = render;
    expect(imageReference({ repository, tag, pullPolicy: 'IfNotPresent' }).pullPolicy).toBe(
      'Always',
    );
  });

  it('of a mirror keeps tag and digest', () => {
    const mirrored = { ...render, allowedRepositories: ['mirror.local:5000'] };
    expect(imageReference(mirrored, { repository: 'mirror.local:5000/a/b' }).image).toBe(
      `mirror.local:5000/a/b:0.1.0@${DIGEST}`,
    );
  });

  it('with another digest drops the tag of the render, which named other bytes', () => {
    expect(imageReference(render, { digest: OTHER }).image).toBe(
      `registry.example.com/sallyport@${OTHER}`,
    );
    expect(imageReference(render, { tag: '0.2.0', digest: OTHER }).image).toBe(
      `registry.example.com/sallyport:0.2.0@${OTHER}`,
    );
  });

  it('with another tag alone drops the digest of the render', () => {
    expect(imageReference(render, { tag: '0.2.0' }).image).toBe(
      'registry.example.com/sallyport:0.2.0',
    );
  });

  it('can be asked to be pulled always, with secrets in order', () => {
    const override = { pullPolicy: 'Always', pullSecrets: ['b', 'a', 'b'] } as const;
    expect(imageReference(render, override)).toMatchObject({
      pullPolicy: 'Always',
      pullSecrets: ['a', 'b'],
    });
  });

  it.each([
    { repository: 'registry.example.com/a:evil' },
    { repository: `registry.example.com/a@${OTHER}` },
    { repository: 'registry.example.com/../a' },
    { repository: 'registry.example.com/a b' },
    { repository: 'registry.example.com/a\nimage: evil' },
    { repository: 'https://registry.example.com/a' },
    { repository: 'Registry.example.com/UPPER' },
    { repository: '' },
    { repository: 'a'.repeat(300) },
    { tag: `1.0@${OTHER}` },
    { tag: '../1' },
    { tag: '1.0 ' },
    { tag: 'latest' },
    { tag: '' },
    { tag: '1\n' },
    { digest: 'sha256:short' },
    { digest: `md5:${'0'.repeat(32)}` },
    { digest: DIGEST.toUpperCase() },
    { digest: `${DIGEST}\n` },
    { pullSecrets: ['../secret'] },
    { pullSecrets: ['A'] },
  ])('T51: refuses %j and says what to write', (override) => {
    expect(imageProblem(render, override)).toMatch(/^image.* (Write|write) /);
    expect(imageProblem(render, override)!.length).toBeLessThanOrEqual(256);
    expect(() => imageReference(render, override)).toThrow(TypeError);
  });
});

describe('a repository that a resource chooses', () => {
  const allowed = (repository: string, ...allowedRepositories: string[]): boolean =>
    imageRefusal({ ...render, allowedRepositories }, { repository }) === undefined;

  it('T51: is by default the one of the render and what is below it, and no other', () => {
    expect(imageRefusal(render)).toBeUndefined();
    expect(imageRefusal(render, { digest: OTHER })).toBeUndefined();
    expect(allowed('registry.example.com/sallyport/fips')).toBe(true);
    for (const repository of [
      'registry.example.com/sallyport-evil',
      'registry.example.com/other',
      'registry.example.com',
      'evil.example/registry.example.com/sallyport',
      'registry.example.com:5000/sallyport',
    ])
      expect([repository, allowed(repository)]).toEqual([repository, false]);
  });

  it('T51: may be one that the settings allow, in whole path segments', () => {
    expect(allowed('mirror.local:5000/a/b', 'mirror.local:5000')).toBe(true);
    expect(allowed('mirror.local:5000/a/b', 'mirror.local:5000/a')).toBe(true);
    expect(allowed('mirror.local:5000/ab', 'mirror.local:5000/a')).toBe(false);
    expect(allowed('mirror.local:50001/a', 'mirror.local:5000')).toBe(false);
  });

  it('T51: is refused with the one to write, and rendered by no room', () => {
    const refusal = imageRefusal(render, { repository: 'evil.example/x' });
    expect(refusal).toContain('Write registry.example.com/sallyport');
    expect(refusal).toContain('images.allowedRepositories');
    expect(refusal).not.toContain('evil');
    expect(() => imageReference(render, { repository: 'evil.example/x' })).toThrow(TypeError);
  });
});
