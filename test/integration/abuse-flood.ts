/**
 * A flood against a real node, and what it costs: the process's time on a processor and the heap that is left of it,
 * attacker and honest nodes counted.
 */
import assert from 'node:assert/strict';
import process from 'node:process';
import type { TestContext } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { OffenceName } from '#protocol';
import { nextTurn } from '#util';
import type { AbusePeer } from './abuse-peer.ts';
import type { Scene } from './hostile-scene.ts';

/** What may be left of an attack, what its peer has still to send included. What bounds each part has its own tests. */
const MAX_GROWTH_MB = 64;

setFlagsFromString('--expose-gc');
const collect: unknown = runInNewContext('gc');

/** Bytes that are reachable, in the heap and outside. */
async function usedBytes(): Promise<number> {
  // The memory of buffers is given back beside the program, and by the next collection for certain.
  for (let round = 0; round < 2; round += 1) {
    if (typeof collect === 'function') collect();
    await nextTurn();
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Prints what the attack cost and, from `told`, what else is worth a line. Gives the growth of the heap in MB. */
export async function measured(
  t: TestContext,
  attack: () => Promise<void>,
  told: () => string | Promise<string> = () => '',
): Promise<number> {
  const bytesBefore = await usedBytes();
  const before = process.cpuUsage();
  const started = performance.now();
  await attack();
  const { user, system } = process.cpuUsage(before);
  const tookMs = performance.now() - started;
  const grownMb = ((await usedBytes()) - bytesBefore) / 1e6;
  const cpu = `${((user + system) / 1e3).toFixed(0)} ms of CPU in ${tookMs.toFixed(0)} ms`;
  t.diagnostic(`${cpu}, heap grew by ${grownMb.toFixed(1)} MB${await told()}`);
  return grownMb;
}

/**
 * Repeats the attack until the node has ended the connection, for that offence alone; honest blocks and transactions get
 * through meanwhile and afterwards.
 */
export async function floodUntilOut(
  t: TestContext,
  scene: Scene,
  peer: AbusePeer,
  offence: OffenceName,
  attack: (at: number) => Promise<unknown>,
): Promise<void> {
  let rounds = 0;
  const flood = async (): Promise<void> => {
    await attack(rounds++);
  };
  const charges = (): number => scene.chargesOf(peer.id).length;
  const whenOut = async (): Promise<void> => {
    await scene.honestGetThroughDuring(flood);
    while (!peer.isOut()) {
      await flood();
      // What is refused may take no turn of the event loop, and the end of the connection does.
      await nextTurn();
    }
  };
  const grownMb = await measured(t, whenOut, () => `, out after ${rounds} rounds and ${charges()} charges`);
  assert.deepEqual([...new Set(scene.chargesOf(peer.id).map((charge) => charge.offence))], [offence]);
  assert.ok(grownMb < MAX_GROWTH_MB, `${grownMb} MB`);
  await scene.honestGetThrough();
}
