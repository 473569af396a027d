// Files that are gone after the test.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ringpoll-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The path of a file with this content. */
export function fileWith(content: string | Uint8Array, name = 'file'): string {
  const file = join(temporaryFolder(), name);
  writeFileSync(file, content);
  return file;
}
