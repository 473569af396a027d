// Handles that nobody closed and nobody can reach any more: closed, with a warning.
import { closeFile, type OpenedFile } from './file.js';
import { routesFor } from './routes.js';

interface Forgotten {
  file: OpenedFile;
  /** In checked mode: where it was opened. */
  opened: string | undefined;
}

const forgotten = new FinalizationRegistry<Forgotten>(({ file, opened }) => {
  const where = opened === undefined ? '' : `; it was opened ${opened}`;
  process.emitWarning(
    `Closing file descriptor ${file.fd} on garbage collection: its FileHandle was not closed` +
      where,
    { code: 'RINGPOLL_FILE_NOT_CLOSED' },
  );
  closeFile(file).catch(() => {});
});

export function watchLeak(handle: object, file: OpenedFile): void {
  const opened = routesFor().runtime.checked ? new Error('here').stack : undefined;
  forgotten.register(handle, { file, opened }, handle);
}

export function unwatchLeak(handle: object): void {
  forgotten.unregister(handle);
}
