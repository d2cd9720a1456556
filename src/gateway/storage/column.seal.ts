import { StorageUnavailable } from '../store.js';
import type { FactorRow } from '../store.js';
import type { ColumnKeys } from './column-key.js';
import { COLUMN_NONCE_BYTES, openColumn, sealColumn } from './column-key.js';
import type { Random } from './column-keys.file.js';
import { bytes } from './rows.js';
import { NO_COUNTS, type StoreCounts } from './storage-metrics.js';

type SecretOf = Pick<FactorRow, 'account' | 'factor' | 'kind' | 'secret'>;

/** Seals and opens the secrets of second factors. WebAuthn keeps nothing secret, so its column is as it is. */
export class ColumnSeal {
  constructor(
    /** The keys as they are now; undefined: none were given to this gateway. */
    private readonly keys: () => ColumnKeys | undefined,
    private readonly random: Random,
    private readonly counts: Pick<StoreCounts, 'sealed'> = NO_COUNTS,
  ) {}

  /** What the column holds. @throws StorageUnavailable `failed` when there is no key */
  seal(row: SecretOf): Uint8Array {
    if (row.kind === 'WebAuthn') return row.secret;
    const sealed = sealColumn(this.#keys(), row, row.secret, this.random(COLUMN_NONCE_BYTES));
    this.counts.sealed('success');
    return sealed;
  }

  /** The secret of a column. @throws StorageUnavailable `failed` when it does not open */
  open(row: SecretOf): Uint8Array {
    if (row.kind === 'WebAuthn') return bytes(row.secret);
    const opened = openColumn(this.#keys(), row, row.secret);
    this.counts.sealed(typeof opened === 'string' ? 'failure' : 'success');
    if (typeof opened !== 'string') return opened;
    const cause = new Error(`the secret of a second factor does not open: ${opened}`);
    throw new StorageUnavailable('failed', { cause });
  }

  /** The secret of a column; undefined when it does not open. */
  tryOpen(row: SecretOf): Uint8Array | undefined {
    const opened = openColumn(this.keys() ?? [], row, row.secret);
    return typeof opened === 'string' ? undefined : opened;
  }

  #keys(): ColumnKeys {
    const keys = this.keys();
    if (keys !== undefined) return keys;
    this.counts.sealed('failure');
    const cause = new Error('this gateway has no file of column keys, so it keeps no TOTP secret');
    throw new StorageUnavailable('failed', { cause });
  }
}
