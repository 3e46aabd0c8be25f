/** What only asynchronous mode calls: Lambda, to hand over, and the dead letter queue. Loaded on first use. */

import type { ConnectorConfig } from 'shared/config';
import type { AsynchronousServices } from './asynchronous';

export function asynchronousServices({
  region,
  functionName,
  deadLetterQueueUrl,
}: ConnectorConfig): Pick<AsynchronousServices, 'invokeSelf' | 'keepRejected'> {
  return {
    invokeSelf: async (event) => {
      const { InvokeCommand, LambdaClient } = await import('@aws-sdk/client-lambda');
      const client = new LambdaClient({ region });
      await client.send(
        new InvokeCommand({
          FunctionName: functionName,
          InvocationType: 'Event',
          Payload: Buffer.from(JSON.stringify(event)),
        }),
      );
    },
    keepRejected: async (letter) => {
      const { SendMessageCommand, SQSClient } = await import('@aws-sdk/client-sqs');
      const client = new SQSClient({ region });
      await client.send(new SendMessageCommand({ QueueUrl: deadLetterQueueUrl, MessageBody: JSON.stringify(letter) }));
    },
  };
}
