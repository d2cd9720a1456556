/*
 * What the command line can ask for, as values: the parser makes them, the runner carries them out.
 */
import type { RequestName } from '../messages/requests.js';
import type { BundleCommand } from './bundle/bundle.command.js';

/** Text for people, or JSON: one document for a result, one line for each event of what goes on. */
export type OutputFormat = 'text' | 'json';

/** Where a secret comes from: never from the command line, which everybody on the machine can read. */
export type SecretSource =
  | { readonly from: 'terminal' }
  | { readonly from: 'file'; readonly path: string }
  | { readonly from: 'descriptor'; readonly descriptor: number };

/** What every command of an endpoint takes. */
export interface EndpointFlags {
  /** Folder of the endpoint; undefined is ~/.config/sallyport. */
  readonly home: string | undefined;
  readonly passphrase: SecretSource;
  readonly output: OutputFormat;
}

/** A command about this device's identity; `words` of a new phrase. */
export type IdentityCommand = EndpointFlags &
  (
    | { readonly name: 'identity create'; readonly words: number; readonly backup: boolean }
    | { readonly name: 'identity restore' | 'identity show' | 'identity backup' }
    | { readonly name: 'identity passphrase'; readonly newPassphrase: SecretSource }
  );

/** A command about somebody; `peer` is a name, a fingerprint or the beginning of one. */
export type ContactCommand = EndpointFlags &
  (
    | {
        readonly name: 'connect';
        readonly peer: string | undefined;
        readonly as: string | undefined;
        readonly invite: SecretSource | undefined;
        /** Whether it stays until Ctrl-C and says what happens. */
        readonly stay: boolean;
        readonly waitSeconds: number;
      }
    | {
        readonly name: 'verify';
        readonly peer: string;
        /** The number that the peer sees, to be compared by the program. */
        readonly number: string | undefined;
      }
    | { readonly name: 'contacts list' }
    | { readonly name: 'contacts accept'; readonly peer: string }
    | { readonly name: 'contacts block'; readonly peer: string }
    | { readonly name: 'contacts remove'; readonly peer: string }
    | { readonly name: 'contacts rename'; readonly peer: string; readonly as: string }
    | { readonly name: 'contacts path'; readonly peer: string; readonly direct: boolean }
  );

/** A command that talks to a contact. */
export type TalkCommand = EndpointFlags &
  (
    | { readonly name: 'chat'; readonly peer: string; readonly stay: boolean }
    | { readonly name: 'send'; readonly file: string; readonly peer: string }
    | {
        readonly name: 'receive';
        readonly folder: string;
        readonly once: boolean;
        /** Whether files are taken without a question. */
        readonly yes: boolean;
        /** Undefined takes files of every contact. */
        readonly from: string | undefined;
        /** Where clamd listens: a socket's path, or HOST:PORT. */
        readonly scan: string | undefined;
      }
    | {
        readonly name: 'call';
        /** Undefined answers calls. */
        readonly peer: string | undefined;
        readonly seconds: number;
      }
  );

/** A command about the own account at the gateway. */
export type AccountCommand = EndpointFlags &
  (
    | { readonly name: 'status' | 'devices list' | 'sessions list' | 'factors list' }
    | { readonly name: 'factors add' | 'factors codes' }
    | { readonly name: 'factors remove'; readonly factor: string }
    | { readonly name: 'devices revoke'; readonly device: string }
    | { readonly name: 'sessions end'; readonly session: string | undefined }
    | { readonly name: 'export'; readonly to: string | undefined }
  );

/** A request of an administrator: its name and body are those of messages/admin-requests.ts. */
export type AdminCommand = EndpointFlags & {
  readonly name: 'admin';
  readonly request: Extract<RequestName, `admin.${string}`>;
  readonly body: Readonly<Record<string, string | number>>;
};

/** A command about the list of gateways in the endpoint's folder. */
export type GatewaysCommand = Pick<EndpointFlags, 'home' | 'output'> &
  (
    | { readonly name: 'gateways list' }
    | {
        readonly name: 'gateways add';
        readonly url: string;
        readonly pins: readonly string[];
        readonly address: string | undefined;
        readonly viaIngress: boolean;
      }
    | { readonly name: 'gateways remove'; readonly url: string }
  );

/** `doctor`: looks at gateways from outside; with `login` also at relays. */
export type DoctorCommand = EndpointFlags & {
  readonly name: 'doctor';
  /** Undefined: those of the endpoint's list. */
  readonly url: string | undefined;
  readonly pins: readonly string[];
  readonly address: string | undefined;
  /** HOST:PORT of relays, for NAT and MTU. */
  readonly relays: readonly string[];
  readonly login: boolean;
};

/** `role import`. */
export interface RoleImportCommand {
  readonly name: 'role import';
  readonly file: string;
  readonly gateways: readonly string[];
  readonly namespace: string;
  readonly everyone: string | undefined;
  readonly to: string | undefined;
  readonly output: OutputFormat;
}

/** Shells for which there is a completion. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** What the command line asks for. */
export type Command =
  | { readonly name: 'help'; readonly text: string }
  | { readonly name: 'completion'; readonly shell: Shell }
  | {
      readonly name: 'up';
      readonly folders: readonly string[];
      readonly once: boolean;
      readonly demo: boolean;
      readonly state: string;
      readonly output: OutputFormat;
    }
  | {
      readonly name: 'demo';
      /** What to start if nothing runs; none: something has to run. */
      readonly folders: readonly string[];
      readonly state: string;
      readonly output: OutputFormat;
    }
  | RoleImportCommand
  | IdentityCommand
  | ContactCommand
  | TalkCommand
  | AccountCommand
  | AdminCommand
  | GatewaysCommand
  | DoctorCommand
  | BundleCommand;
