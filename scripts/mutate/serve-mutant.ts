/**
 * Preloaded (`node --import`) into the process that tests a mutant, and by it into its worker threads: gives the
 * changed text for the one file named in STARLING_MUTANT. The file on disk stays as it is.
 */
import { registerHooks } from 'node:module';
import { applyChange } from './change.ts';
import type { ServedMutant } from './run-mutant.ts';

const { url, ...change } = JSON.parse(process.env['STARLING_MUTANT'] ?? '{}') as ServedMutant;

registerHooks({
  load: (wanted, context, next) => {
    const loaded = next(wanted, context);
    if (wanted !== url || loaded.source == null) return loaded;
    const source =
      typeof loaded.source === 'string' ? loaded.source : Buffer.from(loaded.source as Uint8Array).toString();
    return { ...loaded, source: applyChange(source, change) };
  },
});
