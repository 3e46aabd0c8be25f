/** The Lambda authorizer in front of the write endpoint, with AuthMode TOKEN. */
import { loadAuthorizerConfig } from 'shared/config';
import { createLogger } from 'shared/logger';
import { TokenVerifier } from 'shared/tokens/verifier';
import { fetchSecret } from '../clients/secrets';
import { createAuthorizer } from './authorize';

const config = loadAuthorizerConfig();
const logger = createLogger('authorize-token', config.logLevel);
const verifier = new TokenVerifier((signal) => fetchSecret(config.tokenSecretName, signal), logger);

export const handler = createAuthorizer(verifier, logger);
