// Loaded into an operator process before its program (`node --import`): its wall clock jumps ahead by CLOCK_AHEAD_MS
// on SIGUSR2, or is ahead from the start with CLOCK_IS_AHEAD. Timers and the monotonic clock are not touched.
const Real = Date;
const jumpMs = Number(process.env.CLOCK_AHEAD_MS);
let aheadMs = process.env.CLOCK_IS_AHEAD === 'true' ? jumpMs : 0;

globalThis.Date = class extends Real {
  constructor(...parts) {
    if (parts.length === 0) super(Real.now() + aheadMs);
    else super(...parts);
  }

  static now() {
    return Real.now() + aheadMs;
  }
};
process.on('SIGUSR2', () => {
  aheadMs = jumpMs;
  process.stderr.write('{"level":"info","msg":"the clock jumped ahead"}\n');
});
