import { describe, expect, it } from '@jest/globals';

import { imageProblem, imageReference } from './image.js';

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
    expect(imageReference(render, { repository: 'mirror.local:5000/a/b' }).image).toBe(
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
