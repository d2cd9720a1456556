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
/** Jest's global setup of project `apiserver`. */
export default function globalSetup(): Promise<void>;
