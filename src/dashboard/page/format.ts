/** Numbers, amounts, times and names as the page shows them. Pure: the time is an argument. */

const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** 12,345 */
export function count(value: number): string {
  return grouped.format(value);
}

/** 1 peer, 2 peers */
export const plural = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? '' : 's'}`;

const SI = ['', 'k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'];

/** Three significant digits and a prefix: 1.23 M. Below 1,000 as it is. */
export function withPrefix(value: number, unit: string): string {
  let step = 0;
  // What would round up to 1,000 has the next prefix.
  while (Math.abs(value) >= 999.5 && step < SI.length - 1) {
    value /= 1000;
    step++;
  }
  const shown = step === 0 && Number.isInteger(value) ? String(value) : digits(value);
  return `${shown} ${SI[step]}${unit}`.trimEnd();
}

/** Three significant digits, at most two behind the point; nothing is 0, not 0.00. */
export function digits(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0';
  return value.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
}

export const bytes = (value: number): string => withPrefix(Math.round(value), 'B');

export const byteRate = (bytesPerSecond: number): string => `${bytes(bytesPerSecond)}/s`;

export const hashRate = (hashesPerSecond: number): string => withPrefix(hashesPerSecond, 'H/s');

const SATS_PER_BITCOIN = 100_000_000;

/** 1.23456789; amounts stay below 2^53 satoshis, so the division is exact enough for eight digits. */
export function bitcoins(sats: number): string {
  return (sats / SATS_PER_BITCOIN).toFixed(8);
}

export const satsOf = (valueInBitcoins: number): number => Math.round(valueInBitcoins * SATS_PER_BITCOIN);

/** Sat per vbyte. */
export function feerate(satPerVb: number): string {
  return satPerVb >= 100 ? count(satPerVb) : satPerVb.toFixed(satPerVb >= 10 ? 1 : 2).replace(/\.?0+$/, '');
}

/** 99.996 per cent is not yet all: rounded down. */
export const percent = (part: number): string =>
  part >= 1 ? '100 %' : `${(Math.floor(part * 10_000) / 100).toFixed(2)} %`;

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** 12 s, 3 min, 2 h 5 min, 4 d 3 h. What is not yet, by clocks that differ, is 0 s. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < MINUTE) return `${seconds} s`;
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min`;
  if (seconds < DAY) return both(seconds, HOUR, 'h', MINUTE, 'min');
  return both(seconds, DAY, 'd', HOUR, 'h');
}

function both(seconds: number, large: number, largeUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((seconds % large) / small);
  return `${count(Math.floor(seconds / large))} ${largeUnit}${rest > 0 ? ` ${rest} ${smallUnit}` : ''}`;
}

export const ago = (atMs: number, nowMs: number): string => `${duration(nowMs - atMs)} ago`;

/** Round trips and delays: 0.42 ms, 12 ms, 1.2 s. */
export function milliseconds(ms: number): string {
  if (ms >= 9_995) return `${(ms / 1000).toFixed(1)} s`;
  if (ms >= 999.5) return `${(ms / 1000).toFixed(2)} s`;
  return `${ms >= 10 ? ms.toFixed(0) : ms >= 1 ? ms.toFixed(1) : ms.toFixed(2)} ms`;
}

/** 2026-11-27 18:39:09 UTC */
export function dateTime(ms: number): string {
  return `${new Date(ms).toISOString().replace('T', ' ').slice(0, 19)} UTC`;
}

/** 18:39:09.123 in the zone of who reads. */
export function timeOfDay(ms: number): string {
  const at = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  const clock = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':');
  return `${clock}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}

/** Both ends: zeros alone say little of a block. */
export const shortHash = (hash: string): string => (hash.length > 20 ? `${hash.slice(0, 8)}…${hash.slice(-8)}` : hash);

/** The end: what blocks have in front, they all have. */
export const hashEnd = (hash: string): string => `…${hash.slice(-8)}`;

/** The end: peer ids of one kind of key begin alike. */
export const shortPeer = (id: string): string => (id.length > 10 ? `…${id.slice(-8)}` : id);

/** Work as a power of two, as it grows over many orders of magnitude: 2^94.12 */
export function workBits(chainWork: string): string {
  const significant = chainWork.replace(/^0+/, '');
  if (significant === '') return '0';
  const head = significant.slice(0, 12);
  const bits = Math.log2(Number.parseInt(head, 16)) + 4 * (significant.length - head.length);
  return bits.toFixed(2);
}

/** headers/1/kept: without what all of ours begin with, name and network. */
export const shortProtocol = (protocol: string): string =>
  protocol.replace(/^\/starling\/(?:[0-9a-f]{8,}\/)?/, '').replace(/^\//, '');
