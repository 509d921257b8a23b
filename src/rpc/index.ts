export { callRpc, findEndpoint, findLogin, type RpcParams, type RpcReply, type RpcTarget } from './client/client.ts';
export { convertNamed, convertPositional } from './client/convert.ts';
export { RpcCode, RpcError } from './errors.ts';
export { parseEndpoint } from './http/hosts.ts';
export { amount, JsonNumber, type JsonObject, type JsonValue } from './json/value.ts';
export { writeJson } from './json/write.ts';
export { RPC_METHODS } from './methods/all.ts';
export type { RpcOptions } from './options.ts';
export { type RpcDeps, type RpcServer, startRpc } from './start-rpc.ts';
