/** Where UNLOAD writes its files: to S3, or to a folder that stands for it. */
import type { UnloadStatement } from './statement';

/** An object that is being written. */
export interface ExportObject {
  write(bytes: Uint8Array): Promise<void>;
  /** Completes the object. */
  close(): Promise<void>;
}

export type Encryption = Pick<UnloadStatement, 'encryption' | 'kmsKey'>;

export interface UnloadDestination {
  /** @throws ValidationException if the bucket does not exist or cannot be used */
  assertUsable(bucket: string): Promise<void>;
  /** Its methods throw a ValidationException if the object cannot be written. */
  create(bucket: string, key: string, encryption: Encryption): Promise<ExportObject>;
}
