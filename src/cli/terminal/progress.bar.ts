import { systemClock } from '../../runtime/system.clock.js';
import { barLine, percent, progressText, type Progress } from './progress.js';
import type { Report } from './report.js';

const DRAW_EVERY_MS = 100;
/** Where nothing can be redrawn: a line after so many per cent, and at least after so long. */
const LINE_EVERY_PERCENT = 10;
const LINE_EVERY_MS = 5_000;

/** Shows one transfer: a bar at a terminal, lines elsewhere, events as JSON. */
export class ProgressBar {
  readonly #beganMs = systemClock.monotonicMs();
  #startedWithBytes: number | undefined;
  #shownMs = -Infinity;
  #shownPercent = 0;
  #isDrawn = false;

  constructor(
    private readonly report: Report,
    private readonly title: string,
  ) {}

  /** `doneBytes` of `totalBytes` are there. */
  update(doneBytes: number, totalBytes: number): void {
    this.#startedWithBytes ??= doneBytes;
    const nowMs = systemClock.monotonicMs();
    const progress: Progress = {
      ...{ doneBytes, totalBytes, startedWithBytes: this.#startedWithBytes },
      elapsedMs: nowMs - this.#beganMs,
    };
    const isDone = doneBytes >= totalBytes;
    if (!this.#isDue(nowMs, percent(progress)) && !isDone) return;
    this.#shownMs = nowMs;
    this.#shownPercent = percent(progress);
    this.#show(progress);
  }

  /** Ends the line of the bar. */
  close(): void {
    if (this.#isDrawn) this.report.screen?.write('\n');
    this.#isDrawn = false;
  }

  #isDue(nowMs: number, at: number): boolean {
    const sinceMs = nowMs - this.#shownMs;
    if (this.report.screen !== undefined) return sinceMs >= DRAW_EVERY_MS;
    return at - this.#shownPercent >= LINE_EVERY_PERCENT || sinceMs >= LINE_EVERY_MS;
  }

  #show(progress: Progress): void {
    const { screen } = this.report;
    if (screen === undefined) {
      const { doneBytes, totalBytes } = progress;
      const line = `${this.title}  ${progressText(progress)}`;
      this.report.event('progress', { name: this.title, doneBytes, totalBytes }, line);
      return;
    }
    const width = (screen.columns ?? 80) - 1;
    screen.write(`\r\u001b[2K${`${this.title}  ${barLine(progress, width)}`.slice(0, width)}`);
    this.#isDrawn = true;
  }
}
