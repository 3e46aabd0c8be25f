/** Checks requests to AWS with botocore: with AWS's own models of the services, and with another signer than the one that signed them. */
import type { WireRequest } from './aws-tap';
import { pythonWith, runPython } from './python';

const VERSION = '1.44.8';
export const botocore = pythonWith('botocore', `botocore==${VERSION}`);
/** The means of proof. */
export const JUDGE = `botocore ${VERSION}: AWS’s models of its services, and AWS’s signer`;

export interface Credentials {
  readonly key: string;
  readonly secret: string;
  readonly token: string | null;
}

/** The problems that botocore finds in a request; both lists are empty for a correct one. */
export interface Judgment {
  readonly service: string | null;
  readonly operation: string | null;
  /** Problems of the operation, its parameters and the serialized request. */
  readonly problems: readonly string[];
  readonly signature: readonly string[];
}

export async function judged(requests: readonly WireRequest[], credentials: Credentials): Promise<Judgment[]> {
  const lines = requests.map(({ method, path, headers, body }) => ({
    ...{ method, path, headers, body: body.toString('base64') },
    ...credentials,
  }));
  return (await runPython(botocore.python, 'botocore_check.py', lines)) as Judgment[];
}
