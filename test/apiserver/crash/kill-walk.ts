import { startFaultProxy } from '../../faults/fault-proxy.js';
import type { TestApiServer } from '../bed/api-server.js';
import { OperatorProgram } from '../program-process.js';
import { nextNamespace } from './crash-walk.js';
import { prepare, type Operation } from './operations.js';
import { settingsFor } from './rooms.js';
import { snapshot } from './snapshot.js';

/** What an operation lets pass (`laterMs`) passes for the processes too. */
const CLOCK_AHEAD = new URL('clock-ahead.js', import.meta.url).href;

/** An operator process with its calls going through a proxy that counts them. */
interface Watched {
  readonly program: OperatorProgram;
  readonly answers: () => number;
}

/**
 * Runs `operation` with a real operator process and ends that with SIGKILL when the API server has answered its `nth`
 * write, before the answer arrives; then a new process finishes. Gives what stands afterwards; `undefined` when there
 * were fewer writes.
 */
export async function withKill(
  server: TestApiServer,
  operation: Operation,
  nth: number,
): Promise<
  { readonly struck: string; readonly objects: Readonly<Record<string, string>> } | undefined
> {
  const namespace = nextNamespace();
  await prepare(server, namespace, operation);
  const proxy = await startFaultProxy(server);
  const start = async (clockIsAhead: boolean): Promise<Watched> => {
    const settings = { ...settingsFor(namespace), health: { address: '127.0.0.1', port: 0 } };
    const program = await OperatorProgram.start(server, {
      settings,
      user: 'admin',
      address: proxy.url,
      environment: {
        NODE_OPTIONS: `--import=${CLOCK_AHEAD}`,
        CLOCK_AHEAD_MS: `${operation.laterMs ?? 0}`,
        CLOCK_IS_AHEAD: `${clockIsAhead}`,
      },
    });
    await program.ready();
    return { program, answers: () => proxy.calls.length };
  };
  const programs: OperatorProgram[] = [];
  try {
    const first = await start(false);
    programs.push(first.program);
    await quiet(first);
    let count = 0;
    let struck: string | undefined;
    proxy.onAnswer(async ({ method, path }) => {
      if (method === 'GET' || struck !== undefined) return;
      count += 1;
      if (count !== nth) return;
      struck = `${method} ${path}`;
      await first.program.end('SIGKILL');
    });
    first.program.child.kill('SIGUSR2');
    await first.program.logged('the clock jumped ahead');
    await operation.act(server, namespace);
    await quiet(first);
    await first.program.end('SIGKILL');
    if (struck === undefined) return undefined;
    const second = await start(true);
    programs.push(second.program);
    await quiet(second);
    return {
      struck: struck.replaceAll(namespace, '<namespace>'),
      objects: await snapshot(server, namespace),
    };
  } finally {
    await Promise.all(programs.map((program) => program.end('SIGKILL')));
    await proxy.stop();
  }
}

const QUIET_MS = 600;

/** Resolves when no call went through the proxy for a moment. */
async function quiet({ answers }: Watched): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (let before = -1; before !== answers();) {
    if (performance.now() > deadline)
      throw new Error('the operator did not come to rest within 30 s');
    before = answers();
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  }
}
