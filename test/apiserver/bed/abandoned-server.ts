// Starts a test server, says what runs, and waits to be killed: testbed.spec.ts does that with SIGKILL.
import { startApiServer } from './api-server.js';

const server = await startApiServer();
process.stdout.write(`${JSON.stringify({ pids: server.pids(), folder: server.folder })}\n`);
setInterval(() => undefined, 60_000);
