/*
 * Which image a pod runs. What a render pins may be replaced by the resource (a mirror, an own build) within the
 * repositories that the installation allows: whoever chooses the program reads what its pod mounts. Each part is
 * checked again here, because a reference is one string in which a part could smuggle another registry, tag or digest
 * (T51: image tag injection).
 */

/** The image that a render version pins, and the pull settings of the installation. */
export interface ProgramImage {
  /** Registry and path, no tag: `registry.example.com/sallyport`. */
  readonly repository: string;
  readonly tag?: string | undefined;
  /** `sha256:` and 64 hex digits. Absent only in development. */
  readonly digest?: string | undefined;
  readonly pullPolicy?: PullPolicy | undefined;
  readonly pullSecrets?: readonly string[] | undefined;
  /** Registries, or registries with a path, from which resources may choose images besides this repository. */
  readonly allowedRepositories?: readonly string[] | undefined;
}

/** `spec.image` of a resource. */
export type ImageOverride = Partial<Omit<ProgramImage, 'allowedRepositories'>>;

export type PullPolicy = 'Always' | 'IfNotPresent';

export interface ImageReference {
  /** `repository:tag@digest` */
  readonly image: string;
  readonly pullPolicy: PullPolicy;
  /** Names of Secrets of the pod's namespace, sorted. */
  readonly pullSecrets: readonly string[];
}

/** distribution reference grammar: optional host with port, then lower-case path components. */
const REPOSITORY =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]{0,252}[a-zA-Z0-9])?(?::[0-9]{1,5})?\/)?[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const DIGEST = /^sha256:[a-f0-9]{64}$/;
const SECRET_NAME = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/;
/** Longer than any real one; the kubelet refuses more than 255 bytes of repository. */
const MAX_REPOSITORY = 255;

/**
 * What is wrong with the image that `override` asks for, as a sentence that says what to write; undefined when it
 * can be rendered. Another tag without a digest of its own drops the digest of the render, which belongs to other
 * bytes; another repository alone is a mirror and keeps it.
 */
export function imageProblem(render: ProgramImage, override?: ImageOverride): string | undefined {
  const image = merged(render, override);
  return CHECKS.find(([isFine]) => !isFine(image))?.[1];
}

/**
 * Why the installation does not let a resource run the image that `override` asks for, with what to write; undefined
 * when it does. Whole path segments count: `registry.example.com/a` allows `registry.example.com/a/b`, never `.../ab`.
 */
export function imageRefusal(render: ProgramImage, override?: ImageOverride): string | undefined {
  const { repository } = merged(render, override);
  const allowed = [render.repository, ...(render.allowedRepositories ?? [])];
  // A registry's name without a path would be read as a repository of Docker Hub.
  const isPulled = repository === render.repository || repository.includes('/');
  return isPulled && allowed.some((prefix) => `${repository}/`.startsWith(`${prefix}/`))
    ? undefined
    : `image.repository is none that this installation allows. Write ${render.repository}, or have its administrator add yours to images.allowedRepositories of the operator.`;
}

/** The first that does not hold speaks. */
const CHECKS: readonly (readonly [(image: ProgramImage) => boolean, string])[] = [
  [
    ({ repository }) => repository.length <= MAX_REPOSITORY && REPOSITORY.test(repository),
    'image.repository is not a registry path. Write HOST/PATH in lower case, without tag and digest.',
  ],
  [
    ({ tag }) => tag === undefined || TAG.test(tag),
    'image.tag is not a tag. Write at most 128 letters, digits, dots, dashes and underscores.',
  ],
  [
    ({ tag }) => tag !== 'latest',
    'image.tag latest can change under a running pod. Write a version.',
  ],
  [
    ({ digest }) => digest === undefined || DIGEST.test(digest),
    'image.digest is not a digest. Write sha256: and 64 hexadecimal digits in lower case.',
  ],
  [
    ({ tag, digest }) => tag !== undefined || digest !== undefined,
    'image names neither tag nor digest. Write image.digest.',
  ],
  [
    ({ pullSecrets }) => (pullSecrets ?? []).every((name) => SECRET_NAME.test(name)),
    'image.pullSecrets holds a name that no Secret can have. Write names of Secrets of this namespace.',
  ],
];

/**
 * The reference that goes into a container.
 * @throws TypeError for what `imageProblem` or `imageRefusal` finds: rooms ask first, this is the second lock.
 */
export function imageReference(render: ProgramImage, override?: ImageOverride): ImageReference {
  const problem = imageProblem(render, override) ?? imageRefusal(render, override);
  if (problem !== undefined) throw new TypeError(problem);
  const { repository, tag, digest, pullPolicy, pullSecrets } = merged(render, override);
  const tagged = tag === undefined ? repository : `${repository}:${tag}`;
  return {
    image: digest === undefined ? tagged : `${tagged}@${digest}`,
    // A digest names bytes, so a copy on the node is as good as the registry's; a tag may have moved.
    pullPolicy: digest === undefined ? 'Always' : (pullPolicy ?? 'IfNotPresent'),
    pullSecrets: [...new Set(pullSecrets ?? [])].sort(),
  };
}

function merged(render: ProgramImage, override: ImageOverride = {}): ProgramImage {
  return {
    ...bytesOf(render, override),
    repository: override.repository ?? render.repository,
    pullPolicy: override.pullPolicy ?? render.pullPolicy,
    pullSecrets: override.pullSecrets ?? render.pullSecrets,
  };
}

/** Tag and digest go together: a tag of one image beside the digest of another would lie to its reader. */
function bytesOf(
  render: ProgramImage,
  { tag, digest }: ImageOverride,
): Pick<ProgramImage, 'tag' | 'digest'> {
  if (digest !== undefined)
    return { tag: digest === render.digest ? (tag ?? render.tag) : tag, digest };
  if (tag !== undefined && tag !== render.tag) return { tag };
  return { tag: render.tag, digest: render.digest };
}
