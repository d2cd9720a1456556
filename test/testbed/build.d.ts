/** Types of build.js, which stays plain JavaScript so that Node 20 runs it before anything is installed. */
export interface TestBedOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly log?: (line: string) => void;
}
/** The folder that holds the binaries of exactly the pinned go.mod and go.sum files. */
export function cacheFolder(env?: NodeJS.ProcessEnv): string;
/** The folder with all programs, or undefined if it has to be built; throws on a bad KUBEBUILDER_ASSETS. */
export function findTestBed(env?: NodeJS.ProcessEnv): string | undefined;
/** The version of the `go` on the path, or undefined. */
export function goVersion(env?: NodeJS.ProcessEnv): string | undefined;
/** What a person has to do when the binaries are nowhere and cannot be built. */
export const HOW_TO_GET_BINARIES: string;
/** The folder with all programs, built first if need be. */
export function ensureTestBed(options?: TestBedOptions): Promise<string>;
/** The path of every program by its name, those of the cluster tier too; builds what is not there. */
export function ensureClusterPrograms(
  options?: TestBedOptions,
): Promise<ReadonlyMap<string, string>>;
/** The path of helm, or undefined if it has to be built first. */
export function findHelm(env?: NodeJS.ProcessEnv): string | undefined;
/** The path of helm, built first if need be. */
export function ensureHelm(options?: TestBedOptions): Promise<string>;
/** Jest's global setup of project `apiserver`. */
export default function globalSetup(): Promise<void>;
