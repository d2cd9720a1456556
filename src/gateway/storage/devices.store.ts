import type { AccountStore, DeviceRow, DeviceState, Page } from '../store.js';
import { AccountUnusable } from '../store.js';
import type { GatewayDatabase, Queries, Writes } from './gateway.database.js';
import { bytes, deviceRow, integer, page, toUnsignedColumn } from './rows.js';

type Devices = Pick<
  AccountStore,
  | 'devices'
  | 'device'
  | 'putDevice'
  | 'setDeviceState'
  | 'pendingDevices'
  | 'addRevocation'
  | 'revocations'
>;

/** Devices and their revocations. */
export class DeviceTableStore implements Devices {
  constructor(private readonly database: GatewayDatabase) {}

  devices(account: string): Promise<readonly DeviceRow[]> {
    return this.database.read(async (db) => {
      const query = db.selectFrom('device').selectAll().where('account', '=', account);
      return (await query.orderBy('device').execute()).map(deviceRow);
    });
  }

  device(account: string, device: string): Promise<DeviceRow | undefined> {
    return this.database.read(async (db) => {
      const row = await deviceOf(db, account, device);
      return row && deviceRow(row);
    });
  }

  putDevice(row: DeviceRow, maxDevices: number): Promise<boolean> {
    return this.database.write(async (writes) => {
      const { account, device } = row;
      if ((await this.database.lockAccount(writes, account)) === undefined)
        throw new AccountUnusable();
      if (await isRevoked(writes, account, device)) return false;
      const before = await deviceOf(writes, account, device);
      if (before !== undefined) return replaceBinding(writes, row);
      if ((await countInUse(writes, account)) >= maxDevices) return false;
      await insertDevice(writes, row);
      return true;
    });
  }

  setDeviceState(
    account: string,
    device: string,
    from: readonly DeviceState[],
    to: DeviceState,
  ): Promise<boolean> {
    return this.database.write(async (writes) => {
      const result = await writes
        .updateTable('device')
        .set({ state: to })
        .where('account', '=', account)
        .where('device', '=', device)
        .where('state', 'in', [...from])
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    });
  }

  pendingDevices(after: string | undefined, limit: number): Promise<Page<DeviceRow>> {
    const [account = '', device = ''] = (after ?? '').split('/');
    return this.database.read(async (db) => {
      const rows = await db
        .selectFrom('device')
        .selectAll()
        .where('state', '=', 'Pending')
        .where((e) =>
          e.or([
            e('account', '>', account),
            e.and([e('account', '=', account), e('device', '>', device)]),
          ]),
        )
        .orderBy('account')
        .orderBy('device')
        .limit(integer(limit + 1))
        .execute();
      return page(rows, limit, { key: (row) => `${row.account}/${row.device}`, map: deviceRow });
    });
  }

  addRevocation(account: string, device: string, revocation: Uint8Array): Promise<boolean> {
    return this.database.write(async (writes) => {
      // Whoever enrols the same device at this moment waits, and then finds it revoked.
      await this.database.lockAccount(writes, account);
      const result = await writes
        .insertInto('revocation')
        .values({ account, device, revocation })
        .onConflict((conflict) => conflict.columns(['account', 'device']).doNothing())
        .executeTakeFirst();
      await writes
        .updateTable('device')
        .set({ state: 'Revoked' })
        .where('account', '=', account)
        .where('device', '=', device)
        .execute();
      return result.numInsertedOrUpdatedRows === 1n;
    });
  }

  revocations(account: string): Promise<readonly Uint8Array[]> {
    return this.database.read(async (db) => {
      const query = db.selectFrom('revocation').select('revocation');
      const rows = await query.where('account', '=', account).orderBy('device').execute();
      return rows.map(({ revocation }) => bytes(revocation));
    });
  }
}

function deviceOf(db: Queries, account: string, device: string) {
  const query = db.selectFrom('device').selectAll().where('account', '=', account);
  return query.where('device', '=', device).executeTakeFirst();
}

/** Whether the device is revoked; a revocation may come before the device. */
export async function isRevoked(db: Queries, account: string, device: string): Promise<boolean> {
  if ((await deviceOf(db, account, device))?.state === 'Revoked') return true;
  const query = db.selectFrom('revocation').select('device').where('account', '=', account);
  return (await query.where('device', '=', device).executeTakeFirst()) !== undefined;
}

async function countInUse(writes: Writes, account: string): Promise<number> {
  const query = writes.selectFrom('device').select((e) => e.fn.countAll<bigint>().as('n'));
  const row = await query
    .where('account', '=', account)
    .where('state', '!=', 'Revoked')
    .executeTakeFirst();
  return Number(row?.n ?? 0);
}

async function replaceBinding(
  writes: Writes,
  { account, device, binding, serial }: DeviceRow,
): Promise<boolean> {
  const result = await writes
    .updateTable('device')
    .set({ binding, serial: toUnsignedColumn(serial) })
    .where('account', '=', account)
    .where('device', '=', device)
    .where('serial', '<', toUnsignedColumn(serial))
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

async function insertDevice(writes: Writes, row: DeviceRow): Promise<void> {
  const { account, device, binding, serial, state, enrolledOn } = row;
  await writes
    .insertInto('device')
    .values({
      account,
      device,
      binding,
      serial: toUnsignedColumn(serial),
      state,
      enrolled_on: integer(enrolledOn),
    })
    .execute();
}
