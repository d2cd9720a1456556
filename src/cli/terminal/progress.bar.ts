import type { TransferProgress } from '../../client/files/transfer-progress.js';
import { plainText } from '../../runtime/json-line.js';
import { systemClock } from '../../runtime/system.clock.js';
import { barLine, percent, progressText } from './progress.js';
import type { Report } from './report.js';

/** Where nothing can be redrawn: a line after so many per cent, and at least after so long. */
const LINE_EVERY_PERCENT = 10;
const LINE_EVERY_MS = 5_000;

/** Shows one transfer: a bar at a terminal, lines elsewhere, events as JSON. */
export class ProgressBar {
  #shownMs = -Infinity;
  #shownPercent = -LINE_EVERY_PERCENT;
  #isDrawn = false;

  constructor(
    private readonly report: Report,
    private readonly title: string,
  ) {}

  /** As far as this; the last time when all is there. */
  update(progress: TransferProgress): void {
    const { screen } = this.report;
    if (screen !== undefined) {
      const width = (screen.columns ?? 80) - 1;
      const line = `${plainText(this.title, 32)}  ${barLine(progress)}`.slice(0, width);
      screen.write(`\r\u001b[2K${line}`);
      this.#isDrawn = true;
      return;
    }
    const nowMs = systemClock.monotonicMs();
    const at = percent(progress);
    const isDue = at - this.#shownPercent >= LINE_EVERY_PERCENT;
    if (!isDue && nowMs - this.#shownMs < LINE_EVERY_MS && at < 100) return;
    this.#shownMs = nowMs;
    this.#shownPercent = at;
    const line = `${plainText(this.title, 64)}  ${progressText(progress)}`;
    this.report.event('progress', { file: this.title, ...progress }, line);
  }

  /** Ends the line of the bar, so that others can write. */
  close(): void {
    if (this.#isDrawn) this.report.screen?.write('\n');
    this.#isDrawn = false;
  }
}
