import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shownDefault, shownText, shownValue } from '../../../../src/cli/config/show.ts';
import { single } from '../../../../src/cli/option-row.ts';
import { OPTIONS } from '../../../../src/cli/options.ts';
import { nonEmpty } from '../../../../src/cli/values.ts';

const secret = (flag: string) =>
  single({ flag, value: 'TEXT', help: '', commands: ['node'], parse: nonEmpty, default: undefined });

test('no password is shown, neither of a flag nor in a URL', () => {
  assert.equal(shownText(OPTIONS.proxy, 'socks5://me:hunter2@127.0.0.1:9050'), 'socks5://(hidden)@127.0.0.1:9050');
  assert.equal(shownText(OPTIONS.proxy, 'socks5://127.0.0.1:9050'), 'socks5://127.0.0.1:9050');
  for (const flag of ['rpc-password', 'rpc-auth', 'access-token']) {
    assert.equal(shownText(secret(flag), 'hunter2'), '(hidden)');
    assert.equal(shownValue(secret(flag), 'hunter2', ['hunter2']), '(hidden)');
  }
});

test('values for programs: numbers, switches, lists, texts, nothing', () => {
  assert.equal(shownValue(OPTIONS.maxPeers, 7, ['7']), 7);
  assert.equal(shownValue(OPTIONS.upnp, true, ['1']), true);
  assert.deepEqual(shownValue(OPTIONS.listen, [], undefined), []);
  assert.deepEqual(shownValue(OPTIONS.listen, ['none'], ['none']), ['none']);
  assert.equal(shownValue(OPTIONS.minimumChainWork, 16n, ['0x10']), '0x10');
  assert.equal(shownValue(OPTIONS.minimumChainWork, undefined, undefined), null);
  assert.equal(shownValue(OPTIONS.network, 'mainnet', undefined), 'mainnet');
});

test('defaults for people', () => {
  assert.equal(shownDefault(OPTIONS.datadir), '~/.starling');
  assert.equal(shownDefault(OPTIONS.upnp), 'false');
  assert.equal(shownDefault(OPTIONS.bootstrap), 'none');
  assert.equal(shownDefault(OPTIONS.psk), '-');
});
