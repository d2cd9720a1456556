import type { AnswerBody } from '../../messages/requests.js';
import type { AdminCommand } from '../commands.js';
import { columns, day, minute } from '../terminal/table.js';

/** Fields that are days, and those that are moments. */
const DAYS = ['registeredOn', 'enrolledOn', 'notAfter'];
const MOMENTS = ['beganAt', 'endsAt', 'expiresAt', 'lockedUntil'];

/** An answer as a person reads it: a list as a table of its fields, or what was made, or that it is done. */
export function answerLines(
  request: AdminCommand['request'],
  answer: AnswerBody<AdminCommand['request']>,
): readonly string[] {
  if ('code' in answer)
    return [
      `Invite code, shown once: ${answer.code}`,
      `It counts until ${minute(answer.expiresAt)}; take it back with: sallyport admin invites revoke ${answer.invite}`,
    ];
  const list: unknown = Object.values(answer)[0];
  if (!Array.isArray(list))
    return [`Done: ${request.replace(/^admin\./, '').replaceAll('.', ' ')}.`];
  return list.length === 0 ? ['None.'] : listLines(list);
}

type Row = Readonly<Record<string, unknown>>;

function listLines(rows: readonly Row[]): readonly string[] {
  const fields = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return columns(
    fields.map(heading),
    rows.map((row) => fields.map((field) => cell(field, row[field]))),
  );
}

/** `registeredOn` as `REGISTERED ON`. */
const heading = (field: string): string => field.replace(/[A-Z]/g, ' $&').toUpperCase();

function cell(field: string, value: unknown): string {
  if (value === undefined) return '-';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number' && DAYS.includes(field)) return day(value);
  if (typeof value === 'number' && MOMENTS.includes(field)) return minute(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}
