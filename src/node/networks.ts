/** Finds a network by name (config/networks/) or by the path of a network file. The one reader of network files. */
import { open } from 'node:fs/promises';
import { BUILT_IN_NETWORKS, type NetworkParams, parseNetworkParams } from '#consensus';
import { errorText, NodeError } from '#util';

const BUILT_IN_FOLDER = new URL('../../config/networks/', import.meta.url);
/** A network file has a few kilobytes; a raw genesis block could be larger, a wrong path far larger. */
const MAX_FILE_BYTES = 16_000_000;

/** What an operator may change of a network: none of it splits a chain that others share. */
export type NetworkOverrides = {
  /** Core's -assumevalid; `none` has every script checked. */
  readonly assumeValid?: NetworkParams['assumeValid'] | 'none';
  /** Core's -minimumchainwork. */
  readonly minimumChainWork?: bigint | undefined;
  /** Core's -checkpoints: false leaves them out. */
  readonly checkpoints?: boolean;
  /** Core's -testactivationheight, on regtest alone: nobody shares that chain. Of a rule given twice the last counts. */
  readonly testActivationHeight?: readonly ActivationHeight[];
};

type ActivationHeight = { readonly rule: keyof NetworkParams['activation']; readonly height: number };

/** The parameters with those changes. Throws NodeError `BAD_CONFIG`. */
export function overrideNetwork(params: NetworkParams, overrides: NetworkOverrides): NetworkParams {
  const { assumeValid, checkpoints = true, minimumChainWork, testActivationHeight = [] } = overrides;
  if (testActivationHeight.length > 0 && params.chainName !== 'regtest') {
    throw new NodeError('BAD_CONFIG', `--test-activation-height is for regtest, not for ${params.name}`);
  }
  const heights = testActivationHeight.map(({ rule, height }) => [rule, height]);
  return {
    ...params,
    assumeValid: assumeValid === 'none' ? undefined : (assumeValid ?? params.assumeValid),
    minimumChainWork: minimumChainWork ?? params.minimumChainWork,
    checkpoints: checkpoints ? params.checkpoints : new Map(),
    activation: { ...params.activation, ...Object.fromEntries(heights) },
  };
}

/**
 * The parameters of a built-in network (`mainnet`, `testnet3`, `testnet4`, `signet`, `regtest`) or of a network file.
 * Throws NodeError `BAD_CONFIG` that names the file, the field and what to do.
 */
export async function loadNetwork(nameOrFile: string): Promise<NetworkParams> {
  const file = isBuiltIn(nameOrFile) ? builtInFile(nameOrFile) : nameOrFile;
  const json = await readJson(file, nameOrFile);
  const base = baseOf(json);
  const bases = base === undefined ? {} : { [base]: await readJson(builtInFile(base), base) };
  try {
    return parseNetworkParams(json, bases);
  } catch (error) {
    if (!(error instanceof NodeError)) throw error;
    throw new NodeError('BAD_CONFIG', `network file ${nameOrFile}: ${error.message}`, { cause: error });
  }
}

function isBuiltIn(name: unknown): name is string {
  return BUILT_IN_NETWORKS.some((known) => known === name);
}

function builtInFile(name: string): URL {
  return new URL(`${name}.json`, BUILT_IN_FOLDER);
}

/** The built-in network that the file builds on; what else `base` may hold is for `parseNetworkParams` to refuse. */
function baseOf(json: unknown): string | undefined {
  if (typeof json !== 'object' || json === null || !('base' in json)) return undefined;
  const { base } = json;
  return isBuiltIn(base) ? base : undefined;
}

async function readJson(file: URL | string, shownAs: string): Promise<unknown> {
  const text = await readText(file, shownAs);
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = `network file ${shownAs} is not JSON: ${errorText(error)}`;
    throw new NodeError('BAD_CONFIG', message, { cause: error });
  }
}

async function readText(file: URL | string, shownAs: string): Promise<string> {
  try {
    const handle = await open(file);
    try {
      const info = await handle.stat();
      if (!info.isFile()) throw new TypeError('not a file');
      if (info.size > MAX_FILE_BYTES) throw new RangeError(`${info.size} bytes are too many for a network file`);
      return await handle.readFile('utf8');
    } finally {
      await handle.close();
    }
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    const problem = missing
      ? `no such network: it is neither built in (${BUILT_IN_NETWORKS.join(', ')}) nor a file`
      : `cannot be read: ${errorText(error)}`;
    throw new NodeError('BAD_CONFIG', `network ${shownAs}: ${problem}`, { cause: error });
  }
}
