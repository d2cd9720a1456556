/*
 * The part of the gateway's settings that says who may come in, how often, and what is remembered of it.
 * All of it is taken up live: a tightened policy never has to wait for a rollout.
 */
import { Type } from 'typebox';

const live = { live: true } as const;
const closed = { additionalProperties: false } as const;

const count = (minimum: number, maximum: number, description: string) =>
  Type.Integer({ ...live, minimum, maximum, description });

const strings = (maxItems: number, maxLength: number, description: string) =>
  Type.Array(Type.String({ maxLength }), { ...live, maxItems, default: [], description });

const authentication = Type.Object(
  {
    administrators: strings(
      32,
      64,
      'Fingerprints (sp1...) of the accounts that administer this gateway.',
    ),
    registration: Type.Union(
      [Type.Literal('Approval'), Type.Literal('Invite'), Type.Literal('Open')],
      {
        ...live,
        description:
          'How a new account gets in: approved by an administrator, by invitation, or at once.',
      },
    ),
    lockout: Type.Object(
      {
        maxAttempts: count(
          1,
          100,
          'Failures of the second factor after which an account is locked.',
        ),
        windowSeconds: count(60, 86_400, 'The time in which those failures count, in seconds.'),
        durationSeconds: count(60, 604_800, 'How long the account stays locked, in seconds.'),
      },
      closed,
    ),
    secondFactors: Type.Object(
      {
        allowed: strings(8, 32, 'Kinds of second factors that an account may enrol.'),
        requiredFor: Type.Union(
          [Type.Literal('Nobody'), Type.Literal('Administrators'), Type.Literal('Everyone')],
          { ...live, description: 'Who must pass a second factor at login.' },
        ),
      },
      closed,
    ),
    sessions: Type.Object(
      {
        idleTimeoutSeconds: count(60, 86_400, 'A session ends after this silence, in seconds.'),
        absoluteTimeoutSeconds: count(300, 2_592_000, 'A session ends at this age, in seconds.'),
      },
      closed,
    ),
    deviceApproval: Type.Union([Type.Literal('Automatic'), Type.Literal('Administrator')], {
      ...live,
      description: 'Who must agree to a further device of an account.',
    }),
  },
  closed,
);

/** Sections of settings.json about access, in the order in which they are written. */
export const accessSettings = {
  hosts: strings(
    16,
    253,
    'DNS names under which clients reach this gateway; a login names one of them.',
  ),
  allowedOrigins: strings(64, 300, 'Web origins that may connect. Empty refuses every browser.'),
  trustedProxies: Type.Object(
    {
      cidrs: strings(32, 49, 'Address ranges of proxies whose X-Forwarded-For is believed.'),
      hops: count(
        0,
        8,
        'How many trusted proxies stand in front; that many entries are read, from the right.',
      ),
      required: Type.Boolean({
        ...live,
        default: false,
        description:
          'Whether every other client is refused: an ingress ends TLS in front of this gateway.',
      }),
    },
    closed,
  ),
  rateLimits: Type.Object(
    {
      connectionsPerAddressPerMinute: count(
        1,
        6000,
        'New connections of one address (IPv6: /64) in a minute.',
      ),
      connectionsPerSecond: count(1, 100_000, 'New connections of everybody in a second, per pod.'),
      failedLoginsPerAddressPerMinute: count(
        1,
        600,
        'Failures before a valid device signature, per address and minute.',
      ),
      firstContactsPerAccountPerHour: count(
        1,
        1000,
        'People whom one account may address for the first time in an hour.',
      ),
      liveLeasesPerAccount: count(1, 64, 'Relay leases of one account that are valid at one time.'),
      loginsPerAccountPerHour: count(1, 3600, 'Logins of one account in an hour.'),
      messagesPerSessionPerSecond: count(1, 1000, 'Signaling messages of one session in a second.'),
      socketsPerAccount: count(1, 64, 'Connections of one account that are open at one time.'),
    },
    closed,
  ),
  authentication,
  leases: Type.Object(
    { lifetimeSeconds: count(60, 3600, 'How long a relay lease is valid, in seconds.') },
    closed,
  ),
  audit: Type.Object(
    {
      level: Type.Union(
        [Type.Literal('Minimal'), Type.Literal('Standard'), Type.Literal('Maximum')],
        { ...live, description: 'How much is recorded.' },
      ),
      onFailure: Type.Union(
        [Type.Literal('Block'), Type.Literal('DenyNewSessions'), Type.Literal('BufferEncrypted')],
        { ...live, description: 'What happens when records cannot be stored.' },
      ),
    },
    closed,
  ),
} as const;
