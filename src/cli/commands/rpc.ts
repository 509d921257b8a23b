/** `starling rpc METHOD …`: one call, with the output and the exit code of bitcoin-cli. */
import process from 'node:process';
import { convertNamed, convertPositional, RPC_METHODS, type RpcParams, writeJson } from '#rpc';
import { errorText } from '#util';
import { ExitCode } from '../exit-codes.ts';
import type { Settings } from '../options.ts';
import { callNode } from '../rpc-client.ts';

const INDENT = 2;

export async function runRpc(settings: Settings, words: readonly string[]): Promise<number> {
  const [name = '', ...rest] = settings.stdin ? [...words, ...(await linesOfInput())] : words;
  const method = RPC_METHODS.find((each) => each.name === name);
  let params: RpcParams;
  try {
    params = settings.named ? convertNamed(method, rest) : convertPositional(method, rest);
  } catch (error) {
    process.stderr.write(`error: ${errorText(error)}\n`);
    return ExitCode.unexpected;
  }
  const reply = await callNode(settings, name, params);
  if (reply.kind === 'error') {
    process.stderr.write(`error code: ${reply.code}\nerror message:\n${reply.message}\n`);
    return Math.abs(reply.code);
  }
  const { result } = reply;
  if (result !== null) process.stdout.write(`${typeof result === 'string' ? result : writeJson(result, INDENT)}\n`);
  return ExitCode.ok;
}

async function linesOfInput(): Promise<readonly string[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}
