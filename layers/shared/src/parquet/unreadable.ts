/** The file cannot be decoded, or not within the limits. The message gives the reason, without the file's name. */
export class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile';
}
