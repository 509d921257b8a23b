export { RpcCode, RpcError } from './errors.ts';
export { COOKIE_USER, cookiePath, readCookie } from './http/cookie.ts';
export { parseKeepingNumbers } from './json/parse.ts';
export { amount, JsonNumber, type JsonObject, type JsonValue } from './json/value.ts';
export { writeJson } from './json/write.ts';
export { RPC_METHODS } from './methods/all.ts';
export { DEFAULT_RPC_OPTIONS, type RpcOptions } from './options.ts';
export { type RpcDeps, type RpcServer, startRpc } from './start-rpc.ts';
