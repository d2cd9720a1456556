/*
 * Which rooms the gateway has, and what each is given of the others. A room is a folder beside this file; it knows the
 * contracts in this folder and no other room.
 */
import { dirname, join } from 'node:path';
import type { Clock } from '../runtime/clock.js';
import { isAbsentFile, readSmallFile } from '../runtime/small.file.js';
import { WatchedFiles } from '../runtime/watched.files.js';
import { auditNotes, auditProblem, auditStop } from './audit-failure.js';
import { AuditOutput } from './audit.output.js';
import { createAccess, type Access } from './access/access.room.js';
import { createLeases, type LeaseRoom } from './leases/leases.room.js';
import { MountedLeaseFiles } from './leases/mounted.files.js';
import { EndedSessions } from './login/ended-sessions.js';
import { Endings } from './login/endings.js';
import { createLogin } from './login/login.room.js';
import { roleDemands } from './role-demands.js';
import { readPin } from './pins/pin-update.js';
import { createPins } from './pins/pins.room.js';
import type { Room, RoomContext } from './rooms.js';
import {
  GatewayProgram,
  type FurnishedRooms,
  type Furnishing,
  type GatewayOptions,
  type ServerView,
} from './server/server.program.js';
import { busKeys, type BusKey } from './signaling/bus-tag.js';
import { createBus } from './signaling/nats.bus.js';
import { createSignaling } from './signaling/signaling.room.js';
import { openStore, type OpenStore } from './storage/open.store.js';
import { storeCounts } from './storage/storage-metrics.js';
import { RetentionRoom } from './storage/retention.room.js';
import type { LeaseRow } from './store.js';

/** Name of the file with the pin of the next TLS key, beside the certificate. */
const NEXT_PIN_FILE = 'next.pin';

/**
 * Starts a gateway with all its rooms; it may not be ready yet.
 * @throws ActionableError for what it cannot do without, and what can be done about it
 */
export function startGateway(options: GatewayOptions): Promise<GatewayProgram> {
  const audit = new AuditOutput(options.audit);
  return GatewayProgram.start({ ...options, audit }, furnishing(audit));
}

function furnishing(audit: AuditOutput): Furnishing {
  const opened: OpenStore[] = [];
  return {
    openStore: async ({ settings, clock, random, metrics }) => {
      const counts = storeCounts(metrics);
      const store = await openStore(settings(), {
        clock,
        random: (bytes) => random(bytes),
        counts,
      });
      opened.push(store);
      return store;
    },
    createBus: ({ settings, clock, random, metrics, log }) => {
      const { bus, gateway } = settings();
      const { uid } = gateway;
      return createBus(bus, { uid, clock, random, keys: sharedKeys(opened, uid), metrics, log });
    },
    furnish: (context, server) => {
      const auditStops = () => auditStop(context.settings().audit.onFailure, audit.fails);
      return furnish({ ...context, auditStops }, server, opened);
    },
  };
}

/** What all replicas have and nobody else: keys from the column keys of their database, derived anew when those change. */
function sharedKeys(opened: readonly OpenStore[], uid: string): () => readonly BusKey[] {
  let from: ReturnType<OpenStore['columnKeys']>;
  let keys: readonly BusKey[] = [];
  return () => {
    const now = opened[0]?.columnKeys();
    if (now === from) return keys;
    from = now;
    keys = busKeys(now ?? [], uid);
    return keys;
  };
}

/** `opened` holds the store of the context, with what only its own room needs of it. */
async function furnish(
  context: RoomContext & Required<Pick<RoomContext, 'auditStops'>>,
  server: ServerView,
  opened: readonly OpenStore[],
): Promise<FurnishedRooms> {
  const watched = new WatchedFiles();
  const { access, leases, files } = makeRooms(context, server);
  await files.refuseOpenKeys();
  files.watch(watched);
  watched.add([context.settings().policy.bundleFile], () => takeBundle(access, context, server));
  for (const store of opened)
    watched.add([store.columnKeysFile], () => takeColumnKeys(store, context, server));
  const pins = watchPins(watched, context, server);
  const leasesEnded = (rows: readonly LeaseRow[]) => leases.revokeLeases(rows);
  const login = createLogin(context, {
    policyOf: (account) => roleDemands(access.bundleRolesOf(account)),
    rolesOf: (account) => access.rolesOf(account),
    leaseKeys: () => leases.leaseKeys(),
    leasesEnded,
  });
  const retention = opened.map((store) => new RetentionRoom(context, { store, leasesEnded }));
  const jobs = [new EndedSessions(context), pins, ...retention];
  await watched.start();
  return {
    rooms: { login, access, leases, signaling: createSignaling(context), jobs },
    problems: () => [...leases.problems(), ...auditProblem(context.auditStops())],
    warnings: () => [
      ...[access.problem(), ...retention.map((room) => room.problem())].filter(
        (problem) => problem !== undefined,
      ),
      ...auditNotes(context.settings().audit.onFailure),
    ],
    stop: () => {
      watched.stop();
      files.erase();
    },
  };
}

/** Access ends leases and leases ask for roles: each is called only when both are there. */
function makeRooms(
  context: RoomContext,
  server: ServerView,
): {
  readonly access: Access;
  readonly leases: LeaseRoom;
  readonly files: MountedLeaseFiles;
} {
  const { store, bus, connections, settings, log, clock } = context;
  const endings = new Endings({
    ...{ store, bus, connections },
    leasesEnded: (rows) => leases.revokeLeases(rows),
    // Answers are written in the same turn of the event loop in which they are made.
    afterAnswer: (close) => setImmediate(close),
  });
  const access = createAccess(context, endings);
  const files = new MountedLeaseFiles({
    paths: settings(),
    rolesOf: (account) => access.bundleRolesOf(account),
    log,
    loaded: (file, outcome) => {
      server.loaded(file, outcome);
    },
    unixMs: unixMsOf(clock),
  });
  const leases = createLeases(context, files);
  return { access, leases, files };
}

const unixMsOf = (clock: Clock) => (): number => clock.now().getTime();

/** A bundle that is not there yet is no mistake: nobody has a role. */
async function takeBundle(
  access: Access,
  { settings, log }: RoomContext,
  server: ServerView,
): Promise<boolean> {
  const { bundleFile } = settings().policy;
  try {
    const { text } = await readSmallFile(bundleFile);
    const isTaken = await access.takeBundle(text);
    server.loaded('policy', isTaken ? 'success' : 'failure');
    return isTaken;
  } catch (error) {
    if (isAbsentFile(error)) return access.takeBundle(undefined);
    log.error('file not taken over', { file: 'policy', error });
    server.loaded('policy', 'failure');
    return false;
  }
}

/** Without the file no TOTP secret is kept, and with one that is wrong the keys before it stay in use. */
async function takeColumnKeys(
  store: OpenStore,
  { log }: RoomContext,
  server: ServerView,
): Promise<boolean> {
  try {
    await store.reloadColumnKeys();
    server.loaded('column-keys', 'success');
    return true;
  } catch (error) {
    log.error('file not taken over', { file: 'column-keys', error });
    server.loaded('column-keys', 'failure');
    return false;
  }
}

/** The operator writes the pin of the next key beside the certificate; where it does not make that, there is none. */
function watchPins(watched: WatchedFiles, context: RoomContext, server: ServerView): Room {
  const file = join(dirname(context.settings().tls.public.certificateFile), NEXT_PIN_FILE);
  let nextPin: string | undefined;
  watched.add([file], async () => {
    nextPin = await readSmallFile(file).then(
      ({ text }) => readPin(text),
      () => undefined,
    );
    return true;
  });
  return createPins(context, { leaf: () => server.publicLeaf(), nextPin: () => nextPin });
}
