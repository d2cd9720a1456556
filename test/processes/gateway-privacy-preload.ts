/*
 * Loaded before a program under test, in its process: writes its heap to a new file of the folder in HEAP_FOLDER at each
 * SIGUSR2, and then a file of the same name with `.done`. The programs themselves refuse Node's own option for that.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeHeapSnapshot } from 'node:v8';

let taken = 0;
process.on('SIGUSR2', () => {
  const file = join(process.env['HEAP_FOLDER'] ?? '', `${++taken}.heapsnapshot`);
  writeHeapSnapshot(file);
  writeFileSync(`${file}.done`, '');
});
