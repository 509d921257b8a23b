/**
 * `bans.json`: `{"bans": [...], "discouraged": [...]}`; before there were bans by hand, an array of the latter. What in a
 * file makes no sense is left out, one entry at a time.
 */
import { MAX_REASON_LENGTH } from '../operator-port.ts';
import { type BanEntry, MAX_BANS } from './ban-list.ts';
import { parseBanTarget } from './ban-target.ts';

/** `subject`: `peer:<id>` or `host:<host key>`. Unix milliseconds. */
export type Discouraged = {
  readonly subject: string;
  readonly created: number;
  readonly until: number;
  readonly reason: string;
};

export type StoredBans = { readonly bans: readonly BanEntry[]; readonly discouraged: readonly Discouraged[] };

export const MAX_DISCOURAGED = 10_000;
const MAX_SUBJECT_LENGTH = 128;

/** The outer form alone. */
export function areStoredBans(content: unknown): boolean {
  const { bans, discouraged } = fieldsOf(content);
  return Array.isArray(content) || (Array.isArray(bans) && Array.isArray(discouraged));
}

export function parseStoredBans(stored: unknown): StoredBans {
  const { bans, discouraged } = Array.isArray(stored) ? { bans: [], discouraged: stored } : fieldsOf(stored);
  return {
    bans: listOf(bans, MAX_BANS).flatMap(banOf),
    discouraged: listOf(discouraged, MAX_DISCOURAGED).flatMap(discouragedOf),
  };
}

export function toStored({ bans, discouraged }: StoredBans): unknown {
  return { bans: bans.map(({ target, ...rest }) => ({ address: target.text, ...rest })), discouraged };
}

function banOf(entry: unknown): BanEntry[] {
  const { address, createdMs, untilMs, reason } = fieldsOf(entry);
  const target = typeof address === 'string' ? parseBanTarget(address) : undefined;
  if (target === undefined || !isTime(createdMs) || !isTime(untilMs) || typeof reason !== 'string') return [];
  return [{ target, createdMs, untilMs, reason: reason.slice(0, MAX_REASON_LENGTH) }];
}

function discouragedOf(entry: unknown): Discouraged[] {
  const { subject, created, until, reason } = fieldsOf(entry);
  if (typeof subject !== 'string' || subject.length > MAX_SUBJECT_LENGTH) return [];
  if (!isTime(until) || typeof reason !== 'string') return [];
  // The old form does not tell.
  return [{ subject, created: isTime(created) ? created : 0, until, reason: reason.slice(0, MAX_REASON_LENGTH) }];
}

function listOf(value: unknown, max: number): readonly unknown[] {
  return Array.isArray(value) ? value.slice(0, max) : [];
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
