/*
 * A program that another one of ours has started: `sallyport up` gives it a channel (spawn's `ipc`), on which nothing is
 * ever said. The system closes it when the parent ends, however that was, SIGKILL included.
 */

/** Time for an orderly end; after that the second signal ends it at once, whatever still drains. */
const HURRY_MS = 1_500;

/** Ends this process when the program that has started it is gone; does nothing where there is no channel to it. */
export function endWithParent(): void {
  if (process.channel === undefined) return;
  process.once('disconnect', () => {
    process.kill(process.pid, 'SIGTERM');
    setTimeout(() => process.kill(process.pid, 'SIGTERM'), HURRY_MS).unref();
  });
  // The listener holds the channel; a program that has nothing left to do ends all the same.
  process.channel.unref();
}
