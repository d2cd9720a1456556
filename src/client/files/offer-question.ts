import { fileEnding } from './file-name.js';
import type { ReceivingAttempt } from './receiving.attempt.js';
import type { IncomingName } from './transfer-events.js';
import type { TransferHost } from './transfer-host.js';

/** Asks the application about an offer and carries out its answer; it is not asked when the offer is over already. */
export async function askWhether(
  { accept, emit }: Pick<TransferHost, 'accept' | 'emit'>,
  attempt: Pick<ReceivingAttempt, 'signal' | 'accept' | 'stop'>,
  named: IncomingName,
): Promise<void> {
  const { signal } = attempt;
  if (signal.aborted) return;
  try {
    const answer = await accept({ ...named, type: fileEnding(named.name) }, signal);
    // Callers without types may answer anything: nothing but a clear yes is one.
    if ((answer as unknown) === true) attempt.accept();
    else attempt.stop('declined');
  } catch {
    // A question that is withdrawn is rejected as a rule.
    if (!isAborted(signal)) emit('refused', 'accept-failed');
    attempt.stop('declined');
  }
}

/** Read anew: it may have changed while the answer was awaited. */
const isAborted = ({ aborted }: AbortSignal): boolean => aborted;
