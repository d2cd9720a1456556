// Starts the programs of one test server and takes them down when the test process is gone.
//
// A test process may be killed with SIGKILL and can then clean nothing up. So the programs are children
// of this one, whose standard input is a pipe from the test process: when that ends, for whatever
// reason, the programs are killed and the folder of the server is removed.
//
// Input, one JSON object per line: {op: 'start', name, command, args, log} | {op: 'signal', name, signal}
// Output, the same way: {event: 'started', name, pid} | {event: 'exited', name, code, signal, error}
import { spawn } from 'node:child_process';
import { closeSync, openSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';

const folder = process.argv[2];
const children = new Map();

// The reader may be gone; that must not end this process before it has cleaned up.
process.stdout.on('error', () => undefined);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, end);

function tell(event) {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

function start({ name, command, args, log }) {
  const output = openSync(log, 'a');
  const child = spawn(command, args, { stdio: ['ignore', output, output] });
  closeSync(output);
  children.set(name, child);
  child.on('spawn', () => tell({ event: 'started', name, pid: child.pid }));
  child.on('error', (error) =>
    tell({ event: 'exited', name, code: null, signal: null, error: error.message }),
  );
  child.on('exit', (code, signal) => {
    if (children.get(name) === child) children.delete(name);
    tell({ event: 'exited', name, code, signal });
  });
}

function end() {
  const left = [...children.values()];
  for (const child of left) child.kill('SIGKILL');
  const gone = left.map((child) => new Promise((resolve) => child.once('exit', resolve)));
  void Promise.all(gone).then(() => {
    if (folder) rmSync(folder, { recursive: true, force: true });
    process.exit(0);
  });
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const message = JSON.parse(line);
    if (message.op === 'start') start(message);
    if (message.op === 'signal') children.get(message.name)?.kill(message.signal);
  })
  .on('close', end);
