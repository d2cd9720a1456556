/*
 * Loaded before a server that is measured, in its process: collects garbage at each SIGUSR2, so that memory of two
 * servers is compared and not the moment of their last collection.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
// The flag gives `gc` to contexts that are made after it was set.
const collect = runInNewContext('gc') as () => void;
process.on('SIGUSR2', () => {
  for (let i = 0; i < 3; i++) collect();
});
