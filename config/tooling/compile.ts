/*
 * `npm run compile`: each program and all that it imports as one file in dist/bundle. The operator starts in half the time
 * and in 30 MB less memory than from a thousand small modules. The relay's threads are files of their own beside it:
 * what the packet worker can reach is then to be seen in one file. What is external is loaded only where it is needed.
 */
import { PROGRAMS, bundle } from './bundler.js';

await bundle(PROGRAMS, 'dist/bundle');
