/** Loss beyond this is congestion, whatever else the path loses by itself. */
const HEAVY_LOSS = 0.1;
/** Judged over 64 full packets, so that 2 % of random loss is not taken for more. */
const SAMPLE_BYTES = 64 * 1260;

/** Whether so much is lost that the path must be overloaded. */
export class LossRate {
  #bytes = 0;
  #lostBytes = 0;

  /** Adds a round with `arrived` and `lost` bytes. True once for each sample in which loss was heavy. */
  judge(arrived: number, lost: number): boolean {
    this.#bytes += arrived + lost;
    this.#lostBytes += lost;
    if (this.#bytes < SAMPLE_BYTES) return false;
    const isHeavy = this.#lostBytes > HEAVY_LOSS * this.#bytes;
    this.#bytes = 0;
    this.#lostBytes = 0;
    return isHeavy;
  }
}
