/** What methods of the RPC answer, read without a login: the chain's state, deployments, the mempool. */
import { answerInJson, badRequest, blockHashIn, type RestHandler } from './rest-io.ts';

export const chainInfo: RestHandler = ({ form, rpc }) => answerInJson(form, () => rpc('getblockchaininfo'));

export const deploymentInfo: RestHandler = ({ form, node, param, rpc }) =>
  answerInJson(form, () => {
    if (param === '') return rpc('getdeploymentinfo');
    const hash = blockHashIn(param);
    if (node.chain.getHeader(hash) === undefined) throw badRequest('Block not found');
    return rpc('getdeploymentinfo', hash);
  });

export const mempool: RestHandler = async ({ form, param, query, rpc }) => {
  if (param !== 'contents' && param !== 'info') {
    throw badRequest('Invalid URI format. Expected /rest/mempool/<info|contents>.json');
  }
  return answerInJson(form, () => {
    if (param === 'info') return rpc('getmempoolinfo');
    const isVerbose = booleanIn(query, 'verbose', true);
    const withSequence = booleanIn(query, 'mempool_sequence', false);
    if (isVerbose && withSequence) {
      throw badRequest('Verbose results cannot contain mempool sequence values. (hint: set "verbose=false")');
    }
    return rpc('getrawmempool', isVerbose, withSequence);
  });
};

function booleanIn(query: URLSearchParams, name: string, byDefault: boolean): boolean {
  const text = query.get(name) ?? String(byDefault);
  if (text === 'true' || text === 'false') return text === 'true';
  throw badRequest(`The "${name}" query parameter must be either "true" or "false".`);
}
