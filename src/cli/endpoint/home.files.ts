/*
 * The folder of an endpoint: `identity` (sealed), `identity.memory` (sealed), `gateways.json`.
 */
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { writePrivateFile } from '../../client/identity/private.file.js';
import { ActionableError, messageOf } from '../../runtime/errors.js';
import { isAbsentFile, readSmallFile } from '../../runtime/small.file.js';
import { gatewayListText, readGatewayList, type ListedGateway } from './gateway-list.js';

const FOR_OTHERS_TO_WRITE = 0o022;

/** Where an endpoint's files are. */
export class Home {
  readonly folder: string;

  /** `folder`, or ~/.config/sallyport. */
  constructor(folder: string | undefined) {
    this.folder = resolve(folder ?? join(homedir(), '.config/sallyport'));
  }

  get identityPath(): string {
    return join(this.folder, 'identity');
  }

  get gatewaysPath(): string {
    return join(this.folder, 'gateways.json');
  }

  /** Makes the folder, for its owner alone. @throws ActionableError ERR_SETTING when it cannot be made. */
  async make(): Promise<void> {
    try {
      await mkdir(this.folder, { recursive: true, mode: 0o700 });
    } catch (cause) {
      const problem = `${this.folder} cannot be made: ${messageOf(cause)}.`;
      throw new ActionableError('ERR_SETTING', problem, 'Name another folder with --home.', {
        cause,
      });
    }
  }

  /**
   * The gateways of the list; none if there is no list.
   * @throws ActionableError ERR_SETTING for a list that cannot be used, or that others may write: they could name their
   * own gateway and pin.
   */
  async gateways(): Promise<readonly ListedGateway[]> {
    const path = this.gatewaysPath;
    const hint = 'Write it with "sallyport gateways add".';
    const file = await readSmallFile(path, { what: 'list of gateways', hint }).catch(ifAbsent);
    if (file === undefined) return [];
    if ((file.mode & FOR_OTHERS_TO_WRITE) !== 0)
      throw new ActionableError(
        'ERR_SETTING',
        `${path} may be written by others.`,
        `chmod 600 ${path}`,
      );
    return readGatewayList(file.text, path);
  }

  /** As `gateways`. @throws ActionableError ERR_SETTING also if there is none. */
  async requireGateways(): Promise<readonly ListedGateway[]> {
    const gateways = await this.gateways();
    if (gateways.length > 0) return gateways;
    throw new ActionableError(
      'ERR_SETTING',
      `There is no gateway in ${this.gatewaysPath}.`,
      'Add one with "sallyport gateways add wss://HOST:PORT --pin sha256/BASE64"; its administrator tells both.',
    );
  }

  async writeGateways(gateways: readonly ListedGateway[]): Promise<void> {
    await this.make();
    await writePrivateFile(
      this.gatewaysPath,
      new TextEncoder().encode(gatewayListText(gateways)),
      'replace',
    );
  }
}

function ifAbsent(error: unknown): undefined {
  if (isAbsentFile(error)) return undefined;
  throw error;
}
