/** Reads secrets from Secrets Manager. Imported on first use. */
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

let client: SecretsManagerClient | undefined;

export async function fetchSecret(secretName: string, signal: AbortSignal): Promise<string> {
  client ??= new SecretsManagerClient({});
  const secret = await client.send(new GetSecretValueCommand({ SecretId: secretName }), { abortSignal: signal });
  return secret.SecretString ?? '';
}
