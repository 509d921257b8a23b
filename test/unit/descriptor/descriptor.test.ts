/** Output descriptors: the vectors of BIP381 to BIP387 (they are Core's own, too), Core's messages, both directions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseNetworkParams } from '#consensus';
import {
  descriptorChecksum,
  descriptorText,
  type Expansion,
  expandDescriptor,
  inferDescriptor,
  isRange,
  parseDescriptor,
} from '#descriptor';
import { fromHex, toHex } from '#util';
import mainnetFile from '../../../config/networks/mainnet.json' with { type: 'json' };

const PREFIXES = parseNetworkParams(mainnetFile).address;

const WIF = 'L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1';
const WIF_UNCOMPRESSED = '5KYZdUEo39z3FPrtuX2QbbwGnNP5zTd7yyr2SC1j299sBCnWjss';
const X = 'a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd';
const KEY = `03${X}`;
const KEY_UNCOMPRESSED = `04${X}5b8dec5235a0fa8722476c7709c02559e3aa73aa03918ba2d492eea75abea235`;
const XPRV =
  'xprvA1RpRA33e1JQ7ifknakTFpgNXPmW2YvmhqLQYMmrj4xJXXWYpDPS3xz7iAxn8L39njGVyuoseXzU6rcxFLJ8HFsTjSyQbLYnMpCqE2VbFWc';
const XPUB =
  'xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL';

type Vector = readonly [text: string, publicText: string, ...scripts: readonly (readonly string[])[]];

/** The scripts at place 0, 1, … of the range. */
const VECTORS: readonly Vector[] = [
  [`pk(${WIF})`, `pk(${KEY})`, [`21${KEY}ac`]],
  [`pk(${WIF_UNCOMPRESSED})`, `pk(${KEY_UNCOMPRESSED})`, [`41${KEY_UNCOMPRESSED}ac`]],
  [
    `pkh([deadbeef/1/2'/3/4']${WIF})`,
    `pkh([deadbeef/1/2'/3/4']${KEY})`,
    ['76a9149a1c78a507689f6f54b847ad1cef1e614ee23f1e88ac'],
  ],
  [
    `pkh([deadbeef/1/2h/3/4h]${KEY})`,
    `pkh([deadbeef/1/2h/3/4h]${KEY})`,
    ['76a9149a1c78a507689f6f54b847ad1cef1e614ee23f1e88ac'],
  ],
  [`wpkh(${WIF})`, `wpkh(${KEY})`, ['00149a1c78a507689f6f54b847ad1cef1e614ee23f1e']],
  [`sh(wpkh(${WIF}))`, `sh(wpkh(${KEY}))`, ['a91484ab21b1b2fd065d4504ff693d832434b6108d7b87']],
  [
    `combo(${WIF_UNCOMPRESSED})`,
    `combo(${KEY_UNCOMPRESSED})`,
    [`41${KEY_UNCOMPRESSED}ac`, '76a914b5bd079c4d57cc7fc28ecf8213a6b791625b818388ac'],
  ],
  [`tr(${WIF})`, `tr(${X})`, ['512077aab6e066f8a7419c5ab714c12c67d25007ed55a43cadcacb4d7a970a093f11']],
  [`sh(pk(${WIF}))`, `sh(pk(${KEY}))`, ['a9141857af51a5e516552b3086430fd8ce55f7c1a52487']],
  [`sh(pkh(${WIF}))`, `sh(pkh(${KEY}))`, ['a9141a31ad23bf49c247dd531a623c2ef57da3c400c587']],
  [`wsh(pk(${WIF}))`, `wsh(pk(${KEY}))`, ['00202e271faa2325c199d25d22e1ead982e45b64eeb4f31e73dbdf41bd4b5fec23fa']],
  [`wsh(pkh(${WIF}))`, `wsh(pkh(${KEY}))`, ['0020338e023079b91c58571b20e602d7805fb808c22473cbc391a41b1bd3a192e75b']],
  [`sh(wsh(pkh(${WIF})))`, `sh(wsh(pkh(${KEY})))`, ['a914b61b92e2ca21bac1e72a3ab859a742982bea960a87']],
  [
    `combo([01234567]${XPRV})`,
    `combo([01234567]${XPUB})`,
    [
      '2102d2b36900396c9282fa14628566582f206a5dd0bcc8d5e892611806cafb0301f0ac',
      '76a91431a507b815593dfc51ffc7245ae7e5aee304246e88ac',
      '001431a507b815593dfc51ffc7245ae7e5aee304246e',
      'a9142aafb926eb247cb18240a7f4c07983ad1f37922687',
    ],
  ],
  [
    'pk(xprv9uPDJpEQgRQfDcW7BkF7eTya6RPxXeJCqCJGHuCJ4GiRVLzkTXBAJMu2qaMWPrS7AANYqdq6vcBcBUdJCVVFceUvJFjaPdGZ2y9WACViL4L/0)',
    'pk(xpub68NZiKmJWnxxS6aaHmn81bvJeTESw724CRDs6HbuccFQN9Ku14VQrADWgqbhhTHBaohPX4CjNLf9fq9MYo6oDaPPLPxSb7gwQN3ih19Zm4Y/0)',
    ['210379e45b3cf75f9c5f9befd8e9506fb962f6a9d185ac87001ec44a8d3df8d4a9e3ac'],
  ],
  [
    "pkh(xprv9s21ZrQH143K31xYSDQpPDxsXRTUcvj2iNHm5NUtrGiGG5e2DtALGdso3pGz6ssrdK4PFmM8NSpSBHNqPqm55Qn3LqFtT2emdEXVYsCzC2U/2147483647'/0)",
    "pkh(xpub661MyMwAqRbcFW31YEwpkMuc5THy2PSt5bDMsktWQcFF8syAmRUapSCGu8ED9W6oDMSgv6Zz8idoc4a6mr8BDzTJY47LJhkJ8UB7WEGuduB/2147483647'/0)",
    ['76a914ebdc90806a9c4356c1c88e42216611e1cb4c1c1788ac'],
  ],
  [
    "wpkh([ffffffff/13']xprv9vHkqa6EV4sPZHYqZznhT2NPtPCjKuDKGY38FBWLvgaDx45zo9WQRUT3dKYnjwih2yJD9mkrocEZXo1ex8G81dwSM1fwqWpWkeS3v86pgKt/1/2/*)",
    "wpkh([ffffffff/13']xpub69H7F5d8KSRgmmdJg2KhpAK8SR3DjMwAdkxj3ZuxV27CprR9LgpeyGmXUbC6wb7ERfvrnKZjXoUmmDznezpbZb7ap6r1D3tgFxHmwMkQTPH/1/2/*)",
    ['0014326b2249e3a25d5dc60935f044ee835d090ba859'],
    ['0014af0bd98abc2f2cae66e36896a39ffe2d32984fb7'],
    ['00141fa798efd1cbf95cebf912c031b8a4a6e9fb9f27'],
  ],
  [
    "sh(wpkh(xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi/10/20/30/40/*'))",
    "sh(wpkh(xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8/10/20/30/40/*'))",
    ['a9149a4d9901d6af519b2a23d4a2f51650fcba87ce7b87'],
    ['a914bed59fc0024fae941d6e20a3b44a109ae740129287'],
    ['a9148483aa1116eb9c05c482a72bada4b1db24af654387'],
  ],
  [
    `tr(${XPRV}/0/*,pk(${XPRV}/1/*))`,
    `tr(${XPUB}/0/*,pk(${XPUB}/1/*))`,
    ['512078bc707124daa551b65af74de2ec128b7525e10f374dc67b64e00ce0ab8b3e12'],
    ['512001f0a02a17808c20134b78faab80ef93ffba82261ccef0a2314f5d62b6438f11'],
    ['512021024954fcec88237a9386fce80ef2ced5f1e91b422b26c59ccfc174c8d1ad25'],
  ],
  [
    `tr(03a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5,{pk(${WIF}),pk(${X})})`.replace(
      '03a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5',
      X,
    ),
    `tr(${X},{pk(${X}),pk(${X})})`,
    [],
  ],
  ['raw(DEADBEEF)', 'raw(deadbeef)', ['deadbeef']],
  [`rawtr(${WIF})`, `rawtr(${X})`, [`5120${X}`]],
];

test('each vector: text with public keys, and scripts with and without secrets', () => {
  let scripts = 0;
  for (const [text, publicText, ...places] of VECTORS) {
    for (const given of [text, publicText]) {
      const parsed = parseDescriptor(given, PREFIXES);
      assert.ok(parsed.kind === 'parsed', `${given}: ${JSON.stringify(parsed)}`);
      assert.equal(descriptorText(parsed.descriptor), `${publicText}#${descriptorChecksum(publicText)}`);
      assert.equal(isRange(parsed.descriptor), places.length > 1);
      const isHardened = /\/(?:\d+|\*)['h]/.test(given.replace(/\[.*?\]/g, ''));
      for (const [index, expected] of places.entries()) {
        if (expected.length === 0) continue;
        const expansion = expandDescriptor(parsed.descriptor, index, parsed.secrets);
        if (given === publicText && isHardened) assert.equal(expansion, undefined, given);
        else assert.deepEqual(expansion?.scripts.map(toHex), expected, given);
        scripts++;
      }
    }
  }
  assert.equal(scripts, 54);
});

test('a multisig of extended keys, sorted at each place (BIP383)', () => {
  const text =
    'sh(sortedmulti(2,xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL/*,' +
    'xpub68NZiKmJWnxxS6aaHmn81bvJeTESw724CRDs6HbuccFQN9Ku14VQrADWgqbhhTHBaohPX4CjNLf9fq9MYo6oDaPPLPxSb7gwQN3ih19Zm4Y/0/0/*))';
  const parsed = parseDescriptor(text, PREFIXES);
  assert.ok(parsed.kind === 'parsed');
  for (const index of [0, 1, 2, 3]) {
    const expansion: Expansion | undefined = expandDescriptor(parsed.descriptor, index, parsed.secrets);
    const { scripts = [], provider } = expansion ?? {};
    const inner = provider?.script(scripts[0]?.subarray(2, 22) ?? new Uint8Array(20));
    const keys = [
      toHex(inner?.subarray(2, 35) ?? new Uint8Array()),
      toHex(inner?.subarray(36, 69) ?? new Uint8Array()),
    ];
    assert.deepEqual(keys, keys.toSorted());
  }
});

test('what is wrong is said as Core says it', () => {
  const cases: readonly (readonly [text: string, error: string])[] = [
    ['', "'' is not a valid descriptor function"],
    ['()', "'()' is not a valid descriptor function"],
    [`pk(${KEY}`, `'pk(${KEY}' is not a valid descriptor function`],
    [`pk(${KEY}),`, ''],
    ['pk()', 'pk(): No key provided'],
    [`pk(${KEY.slice(0, -2)})`, `pk(): Pubkey '${KEY.slice(0, -2)}' is invalid`],
    [`pkh(07${KEY_UNCOMPRESSED.slice(2)})`, 'pkh(): Hybrid public keys are not allowed'],
    [`wpkh(${KEY_UNCOMPRESSED})`, 'wpkh(): Uncompressed keys are not allowed'],
    [`wsh(pk(${WIF_UNCOMPRESSED}))`, 'pk(): Uncompressed keys are not allowed'],
    [`sh(wpkh(${WIF_UNCOMPRESSED}))`, 'wpkh(): Uncompressed keys are not allowed'],
    [`pkh(deadbeef/1/2'/3/4']${KEY})`, "pkh(): Key origin start '[ character expected but not found, got 'd' instead"],
    [`pkh([deadbeef]/1/2'/3/4']${KEY})`, "pkh(): Multiple ']' characters found for a single pubkey"],
    [`pkh([deadbee]${KEY})`, 'pkh(): Fingerprint is not 4 bytes (7 characters instead of 8 characters)'],
    [`pkh([deadbeeg]${KEY})`, "pkh(): Fingerprint 'deadbeeg' is not hex"],
    [`pkh(${XPUB}/2147483648)`, 'pkh(): Key path value 2147483648 is out of range'],
    [`pkh(${XPUB}/1aa)`, "pkh(): Key path value '1aa' is not a valid uint32"],
    [`pkh(${XPUB.slice(0, -1)}M)`, `pkh(): key '${XPUB.slice(0, -1)}M' is not valid`],
    [`sh(sh(pk(${KEY})))`, 'Can only have sh() at top level'],
    [`wsh(sh(pk(${KEY})))`, 'Can only have sh() at top level'],
    [`wsh(wsh(pk(${KEY})))`, 'Can only have wsh() at top level or inside sh()'],
    [`wsh(wpkh(${KEY}))`, 'Can only have wpkh() at top level or inside sh()'],
    [`sh(combo(${KEY}))`, 'Can only have combo() at top level'],
    [`sh(tr(${KEY}))`, 'Can only have tr at top level'],
    [`sh(rawtr(${KEY}))`, 'Can only have rawtr at top level'],
    ['sh(raw(00))', 'Can only have raw() at top level'],
    ['sh(addr(1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa))', 'Can only have addr() at top level'],
    [`sh(${KEY})`, 'A function is needed within P2SH'],
    [`wsh(${KEY})`, 'A function is needed within P2WSH'],
    ['addr(1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb)', 'Address is not valid'],
    ['raw(asdf)', 'Raw script is not hex'],
    [`multi(a,${KEY})`, "Multi threshold 'a' is not valid"],
    [`multi(0,${KEY})`, 'Multisig threshold cannot be 0, must be at least 1'],
    ['multi(1)', 'Cannot have 0 keys in multisig; must have between 1 and 20 keys, inclusive'],
    [
      `multi(3,${KEY})`,
      'Multisig threshold cannot be larger than the number of keys; threshold is 3 but only 1 keys specified',
    ],
    [`multi(1,${Array(4).fill(KEY).join(',')})`, 'Cannot have 4 pubkeys in bare multisig; only at most 3 pubkeys'],
    [`sh(multi(1,${Array(16).fill(KEY).join(',')}))`, 'P2SH script is too large, 547 bytes is larger than 520 bytes'],
    [
      `wsh(multi(1,${Array(21).fill(KEY).join(',')}))`,
      'Cannot have 21 keys in multisig; must have between 1 and 20 keys, inclusive',
    ],
    [`tr(${X},multi(1,${KEY}))`, 'Can only have multi/sortedmulti at top level, in sh(), or in wsh()'],
    [`multi_a(1,${KEY})`, 'Can only have multi_a/sortedmulti_a inside tr()'],
    [`tr(${X},{pk(${X})})`, "tr(): expected ',' after script expression"],
    [`tr(${X},{pk(${X}),pk(${X}))`, "tr(): expected '}' after script expression"],
    [`tr(${X},pk(${X}),pk(${X}))`, "tr(): expected ')' after script expression"],
    [`rawtr(${X},pk(${X}))`, 'rawtr(): only one key expected.'],
    [`wsh(and_v(v:pk(${KEY}),older(1)))`, 'Miniscript expressions are not supported'],
    [`wsh(c:pk_k(${KEY}))`, 'Miniscript expressions are not supported'],
    [`sh(and_v(v:pk(${KEY}),older(1)))`, 'Miniscript expressions can only be used in wsh or tr.'],
    [`pk(${KEY})#`, 'Expected 8 character checksum, not 0 characters'],
    [`pk(${KEY})##`, "Multiple '#' symbols"],
    ['pk(é)', 'Invalid characters in payload'],
  ];
  for (const [text, error] of cases)
    assert.deepEqual(parseDescriptor(text, PREFIXES), { kind: 'invalid', error }, text);
  assert.deepEqual(parseDescriptor(`pk(${KEY})`, PREFIXES, { requireChecksum: true }), {
    kind: 'invalid',
    error: 'Missing checksum',
  });
});

test('checksums of BIP380', () => {
  assert.equal(descriptorChecksum('raw(deadbeef)'), '89f8spxm');
  for (const text of [
    'raw(deadbeef)#89f8spxmx',
    'raw(deadbeef)#89f8spx',
    'raw(deedbeef)#89f8spxm',
    'raw(deadbeef)##9f8spxm',
  ]) {
    assert.equal(parseDescriptor(text, PREFIXES).kind, 'invalid', text);
  }
  assert.equal(parseDescriptor('raw(deadbeef)#89f8spxm', PREFIXES, { requireChecksum: true }).kind, 'parsed');
});

test('a tree of any shape is printed as it was read, and inferred from its output', () => {
  const tree = fc.letrec<{ tree: string }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(`pk(${X})`, `multi_a(1,${X})`, `multi_a(2,${X},${X})`),
      fc.tuple(tie('tree'), tie('tree')).map(([left, right]) => `{${left},${right}}`),
    ),
  })).tree;
  fc.assert(
    fc.property(tree, (scripts) => {
      const text = `tr(${X},${scripts})`;
      const parsed = parseDescriptor(text, PREFIXES);
      assert.ok(parsed.kind === 'parsed');
      const printed = descriptorText(parsed.descriptor);
      assert.equal(printed, `${text}#${descriptorChecksum(text)}`);
      const { scripts: [script = fromHex('')] = [], provider } =
        expandDescriptor(parsed.descriptor, 0, parsed.secrets) ?? {};
      // Two keys that are the same have one origin: it is shown.
      const inferred = descriptorText(inferDescriptor(script, PREFIXES, provider)).replaceAll(/\[[0-9a-f]{8}\]/g, '');
      assert.equal(inferred.slice(0, -9), text);
    }),
    { seed: 1, numRuns: 50 },
  );
});

test('any text is an answer, not a failure', () => {
  const word = fc.constantFrom(
    'pk',
    'sh',
    'wsh',
    'tr',
    'multi',
    '(',
    ')',
    '{',
    '}',
    ',',
    '#',
    '[',
    ']',
    '/',
    '*',
    "'",
    KEY,
    XPUB,
    '1',
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 20 }), (words) => {
      const parsed = parseDescriptor(words.join(''), PREFIXES);
      assert.ok(parsed.kind === 'parsed' || typeof parsed.error === 'string');
    }),
    { seed: 1, numRuns: 1000 },
  );
});
