import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { multiaddr } from '@multiformats/multiaddr';
import fc from 'fast-check';
import { openAsmap, parseAsmap } from '../../../src/net/addrman/asmap.ts';
import { createNetGroups } from '../../../src/net/addrman/net-groups.ts';
import { type AsmapNode, encodeAsmap, encodeNode, packBits } from '../../support/asmap-encoder.ts';
import { makeTempDir } from '../../support/temp-dir.ts';

const asn = (value: number): AsmapNode => ({ op: 'return', asn: value });
const bitsOf = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');

/** Bits that have to match, in pieces as long as the format has them. */
function matchAll(bits: string, next: AsmapNode): AsmapNode {
  if (bits === '') return next;
  return { op: 'match', bits: bits.slice(0, 8), next: matchAll(bits.slice(8), next) };
}

/** A map that knows one prefix of IPv4 addresses, and what is beside it. */
function ipv4Prefix(prefix: string, inside: number, outside: number): AsmapNode {
  return { op: 'default', asn: outside, next: matchAll(`${'0'.repeat(80)}${'1'.repeat(16)}${prefix}`, asn(inside)) };
}

/** What a map should say, without its being written as bits. */
function expected(node: AsmapNode, bits: string, fallback = 0): number {
  switch (node.op) {
    case 'return':
      return node.asn;
    case 'default':
      return expected(node.next, bits, node.asn);
    case 'branch':
      return expected(bits.startsWith('1') ? node.one : node.zero, bits.slice(1), fallback);
    case 'match':
      return bits.startsWith(node.bits) ? expected(node.next, bits.slice(node.bits.length), fallback) : fallback;
  }
}

/** Sane maps: no default before a default or a return, at most one match in a row that is shorter than 8 bits. */
const nodes = fc.letrec<{ node: AsmapNode; matched: AsmapNode; defaulted: AsmapNode }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 6 },
    fc.nat({ max: 40_000_000 }).map((value) => asn(1 + (value % 33_521_664))),
    tie('matched'),
    tie('defaulted').map((next): AsmapNode => ({ op: 'default', asn: 77, next })),
  ),
  defaulted: fc.oneof(
    { maxDepth: 6 },
    fc.constant<AsmapNode>({ op: 'branch', zero: asn(1), one: asn(2) }),
    tie('matched'),
  ),
  matched: fc.oneof(
    { maxDepth: 6 },
    fc.constant<AsmapNode>({ op: 'branch', zero: asn(70_000), one: asn(1_000_000) }),
    fc.tuple(tie('node'), tie('node')).map(([zero, one]): AsmapNode => ({ op: 'branch', zero, one })),
    fc
      .tuple(fc.stringMatching(/^[01]{8}$/), fc.integer({ min: 1, max: 70_000 }))
      .map(([bits, value]): AsmapNode => ({ op: 'match', bits, next: asn(value) })),
  ),
}));

suite('asmap', () => {
  test('a prefix has its number, all else the default', () => {
    const map = parseAsmap(encodeAsmap(ipv4Prefix('0000100000001000', 15_169, 7)));
    assert.ok(map);
    const groups = createNetGroups(map);
    assert.equal(groups.of(multiaddr('/ip4/8.8.4.4/tcp/1')), 'as15169');
    assert.equal(groups.of(multiaddr('/ip4/8.9.4.4/tcp/1')), 'as7');
    assert.equal(groups.of(multiaddr('/ip6/2a00::1/tcp/1')), 'as7');
    assert.equal(groups.of(multiaddr('/ip6/2002:808:404::1/tcp/1')), 'as15169', '6to4 of 8.8.4.4');
    assert.equal(groups.of(multiaddr('/ip4/127.0.0.1/tcp/1')), 'local');
    assert.equal(groups.of(multiaddr('/dns4/a.example/tcp/1')), 'name:a.example');
  });

  test('where the map says nothing the prefix is the group', () => {
    const map = parseAsmap(encodeAsmap(matchAll(`${'0'.repeat(80)}${'1'.repeat(16)}00001000`, asn(3))));
    const groups = createNetGroups(map);
    assert.equal(groups.of(multiaddr('/ip4/8.9.4.4/tcp/1')), 'as3');
    assert.equal(groups.of(multiaddr('/ip4/9.9.4.4/tcp/1')), '9.9');
  });

  test('bits by hand: RETURN 1 is opcode 0, class 0, fifteen zeros', () => {
    const map = parseAsmap(packBits(`0${'0'}${'0'.repeat(15)}`));
    assert.equal(map?.asnOf(new Uint8Array(16)), 1);
    // JUMP (10) by 17 + 0 (class 0, five bits), RETURN 1 in 17 bits, RETURN 1 + 2^15 + 2 (class 10, sixteen bits).
    const jump = parseAsmap(packBits(`10${'0'}${'00000'}${'0'.repeat(17)}${'0'}${'10'}${'0000000000000010'}`));
    assert.equal(jump?.asnOf(new Uint8Array(16)), 1);
    assert.equal(jump?.asnOf(new Uint8Array(16).fill(0x80)), 1 + 2 ** 15 + 2);
  });

  test('any sane map says what it was made from', () => {
    fc.assert(
      fc.property(nodes.node, fc.uint8Array({ minLength: 16, maxLength: 16 }), (node, ip) => {
        const map = parseAsmap(encodeAsmap(node));
        assert.ok(map, 'sane');
        assert.equal(map.asnOf(ip), expected(node, bitsOf(ip)));
      }),
      { numRuns: 300 },
    );
  });

  test('what is not sane is refused', () => {
    const refused = (bits: string) => assert.equal(parseAsmap(packBits(bits)), undefined, bits);
    const one = encodeNode(asn(1));
    const branch = (zero: string, rest: string) =>
      `10${'0'}${(zero.length - 17).toString(2).padStart(5, '0')}${zero}${rest}`;
    refused('');
    refused('0'); // an instruction that is cut off
    refused(`${one}${'0'.repeat(16)}`); // more padding than a byte
    assert.ok(parseAsmap(packBits(one)));
    refused(`${one}0000001`); // padding of ones
    refused(`111${'0'.repeat(16)}${one}`); // a default and at once a return
    refused(`111${'0'.repeat(16)}111${'0'.repeat(16)}${branch(one, one)}`); // two defaults
    refused(`110${'0'}${'1'}110${'0'}${'1'}${one}`); // two short matches
    refused(branch(one, '')); // a jump to the end
    refused(branch(one, `0${'1'}`)); // no return behind a jump
    refused(branch(branch(one, one), '')); // one return too few
    refused(branch(`${one}1`, `${one}${one}`)); // nothing leads there
    refused(encodeNode(matchAll('0'.repeat(129), asn(1)))); // more bits than an address has
    assert.ok(parseAsmap(packBits(encodeNode(matchAll('0'.repeat(128), asn(1))))));
  });

  test('no bytes can break it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes, ip) => {
        const number = parseAsmap(bytes)?.asnOf(ip) ?? 1;
        assert.ok(Number.isInteger(number) && number >= 0);
      }),
      { numRuns: 2000 },
    );
  });

  test('a file that is missing or no map stops the start, with one line', async () => {
    await using dir = await makeTempDir();
    const path = join(dir.path, 'map.dat');
    await assert.rejects(openAsmap(path), { code: 'BAD_CONFIG' });
    await writeFile(path, Uint8Array.of(1, 2, 3));
    await assert.rejects(openAsmap(path), { code: 'BAD_CONFIG', message: /no sane asmap/ });
    await writeFile(path, encodeAsmap(ipv4Prefix('00001000', 3, 4)));
    assert.equal((await openAsmap(path)).asnOf(new Uint8Array(16)), 4);
  });
});
