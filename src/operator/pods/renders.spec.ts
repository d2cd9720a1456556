import { describe, expect, it } from '@jest/globals';
import { readOperatorSettings } from '../settings.js';
import { imageReference } from './image.js';
import { imageOf, rendersOf } from './renders.js';

const settings = (images: object) =>
  readOperatorSettings(
    {
      version: 1,
      installId: 'clinic',
      namespace: 'operators',
      renders: [
        { version: 2, image: { repository: 'registry.example.com/sallyport', tag: '0.2.0' } },
        { version: 1, image: { repository: 'registry.example.com/sallyport', tag: '0.1.0' } },
      ],
      images,
    },
    'test',
  );

describe('rendersOf', () => {
  it('gives the pods of every version the pull secrets of the installation', () => {
    const renders = rendersOf(settings({ pullSecrets: ['registry', 'mirror'] }));
    for (const version of [1, 2])
      expect(imageReference(imageOf(renders, version)).pullSecrets).toEqual(['mirror', 'registry']);
  });

  it('lets a resource name others', () => {
    const renders = rendersOf(settings({ pullSecrets: ['registry'] }));
    const own = imageReference(imageOf(renders, 2), { pullSecrets: ['own'] });
    expect(own.pullSecrets).toEqual(['own']);
  });

  it('names none where the settings name none', () => {
    expect(imageOf(rendersOf(settings({})), 1)).not.toHaveProperty('pullSecrets');
  });
});
