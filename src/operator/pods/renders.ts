/* Render versions as the operator's settings give them (architecture.md 3, render pin). */
import type { Child } from '../../kubernetes/cluster.js';
import { ANNOTATION_RENDER } from '../../kubernetes/metadata.js';
import { chooseRender, type Render } from '../../kubernetes/render-pin.js';
import type { OperatorSettings } from '../settings.js';
import type { ProgramImage } from './image.js';

/** One version that this operator writes. */
export interface RenderedVersion {
  readonly version: number;
  readonly image: ProgramImage;
}

/** The versions that this operator writes. */
export type Renders = readonly [RenderedVersion, ...RenderedVersion[]];

/** The versions in the operator's settings, with what the settings say about the images of all pods. */
export function rendersOf({ renders, imagePullPolicy, images }: RenderSettings): Renders {
  const { allowedRepositories, pullSecrets } = images;
  const [first, ...rest] = renders.map(({ version, image }) => ({
    version,
    image: {
      ...image,
      allowedRepositories,
      ...(pullSecrets.length === 0 ? {} : { pullSecrets }),
      ...(imagePullPolicy === 'Always' ? { pullPolicy: imagePullPolicy } : {}),
    },
  }));
  if (!first)
    throw new RangeError('The settings name no render version: their schema asks for one.');
  return [first, ...rest];
}

type RenderSettings = Pick<OperatorSettings, 'renders' | 'imagePullPolicy' | 'images'>;

/** A resource as far as its render version goes. */
export interface Rendering {
  readonly spec: { readonly renderVersion?: string };
  readonly status?: { readonly renderVersion?: number };
}

/**
 * The version with which `resource` is written: what its spec says, else what was recorded at creation, in status or,
 * where somebody wiped that, on its workload.
 */
export function renderOf(
  resource: Rendering,
  workload: Child | undefined,
  renders: Renders,
): Render {
  const { renderVersion } = resource.spec;
  const choice =
    renderVersion === undefined || renderVersion === 'Latest'
      ? renderVersion
      : Number(renderVersion);
  const annotated = workload?.annotations[ANNOTATION_RENDER];
  const recorded =
    resource.status?.renderVersion ?? (annotated === undefined ? undefined : Number(annotated));
  const [first, ...rest] = renders;
  return chooseRender(choice, recorded, [first.version, ...rest.map(({ version }) => version)]);
}

/** @throws RangeError for a version that `renderOf` did not choose: a mistake of a room. */
export function imageOf(renders: Renders, version: number): ProgramImage {
  const found = renders.find((render) => render.version === version);
  if (!found) throw new RangeError(`Render version ${version} has no image.`);
  return found.image;
}
