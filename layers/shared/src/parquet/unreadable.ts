/** The file itself is at fault: it cannot be decoded, or not within the limits. The message says why, without the file's name. */
export class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile';
}
