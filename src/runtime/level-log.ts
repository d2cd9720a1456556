import { LOG_LEVELS, type LogFields, type Logger, type LogLevel } from './log.js';

/** A logger whose level may change while the program runs; `inner` has to let every level through. */
export class LevelLog implements Logger {
  constructor(
    private readonly inner: Logger,
    private readonly level: { value: LogLevel },
  ) {}

  /** Changes the level of this logger, its parents and its children. */
  setLevel(level: LogLevel): void {
    this.level.value = level;
  }

  debug(message: string, fields?: LogFields): void {
    this.#log('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#log('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#log('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#log('error', message, fields);
  }

  child(fields: LogFields): LevelLog {
    return new LevelLog(this.inner.child(fields), this.level);
  }

  #log(level: LogLevel, message: string, fields?: LogFields): void {
    if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(this.level.value)) return;
    this.inner[level](message, fields);
  }
}
