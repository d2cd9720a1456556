/*
 * `admin ...`: one request of an administrator; pages of a list are asked for until there are no more.
 */
import type { Client } from '../../client/contacts/client.runner.js';
import type { AnswerBody } from '../../messages/requests.js';
import { EXIT_CODE } from '../../runtime/errors.js';
import type { AdminCommand } from '../commands.js';
import type { Report } from '../terminal/report.js';
import { answerLines } from './admin-screen.js';
import { withEndpoint } from './endpoint.session.js';
import { requestProven } from './second-factor.dialogue.js';

/** Pages of 100: no list of ours is longer, and a gateway that goes on for ever is left. */
const MAX_PAGES = 1_000;

/** Carries it out; gives the exit code. */
export function runAdmin(command: AdminCommand, report: Report): Promise<number> {
  return withEndpoint(command, report, async ({ client }) => {
    const answer = await wholeAnswer(client, command);
    report.result(answer, answerLines(command.request, answer));
    return EXIT_CODE.ok;
  });
}

type Answer = AnswerBody<AdminCommand['request']>;

async function wholeAnswer(client: Client, { request, body }: AdminCommand): Promise<Answer> {
  // The table of commands gives each request the fields of its schema; the gateway checks them again.
  const ask = (more: object): Promise<Answer> =>
    requestProven(client, request, { ...body, ...more });
  const first = await ask({});
  if (!('items' in first)) return first;
  const items: unknown[] = [...first.items];
  let { next } = first;
  for (let page = 1; next !== undefined && page < MAX_PAGES; page++) {
    const more = await ask({ after: next });
    if (!('items' in more)) break;
    items.push(...more.items);
    ({ next } = more);
  }
  // Items of every page are of the schema of this one request.
  return { items };
}
