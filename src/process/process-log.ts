/** How much is said: each level includes those after it. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/**
 * The process log: one JSON object a line on stderr. For what happens to the balancer, not for
 * traffic.
 */
export interface ProcessLog {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** Says nothing below `level` from now on. */
  setLevel(level: LogLevel): void;
}

const order: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/**
 * A log for `part` (`supervisor`, `balancer`). Errors: a closed stderr loses the line and nothing
 * else. Cost: one write per line; nothing on the traffic path calls it per exchange.
 */
export function createProcessLog(
  part: string,
  write: (line: string) => void,
  wallMs: () => number,
): ProcessLog {
  let threshold = 1;
  const at =
    (level: LogLevel) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      if (order.indexOf(level) < threshold) return;
      const time = new Date(wallMs()).toISOString();
      write(`${JSON.stringify({ time, level, part, message, ...fields })}\n`);
    };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    setLevel: (level) => {
      threshold = order.indexOf(level);
    },
  };
}
