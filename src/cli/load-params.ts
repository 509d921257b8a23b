/** The network of a run: its file, and what flags change of it. */
import type { NetworkParams } from '#consensus';
import { loadNetwork } from '#node';
import type { Settings } from './options.ts';

/** Throws NodeError `BAD_CONFIG`. */
export async function loadParams(settings: Settings): Promise<NetworkParams> {
  const params = await loadNetwork(settings.network);
  const { assumeValid, checkpoints, minimumChainWork } = settings;
  return {
    ...params,
    assumeValid: assumeValid === 'none' ? undefined : (assumeValid ?? params.assumeValid),
    minimumChainWork: minimumChainWork ?? params.minimumChainWork,
    checkpoints: checkpoints ? params.checkpoints : new Map(),
  };
}
