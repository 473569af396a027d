// `ringpoll serve`: the files of a folder over HTTP.
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Command, UsageError } from './command.js';
import { ENDING, place, serveUntilInterrupted, servingOptions } from './serving.js';

const PORT_DEFAULT = 8080;

function folder(name: string): string {
  const root = resolve(name);
  if (statSync(root, { throwIfNoEntry: false })?.isDirectory() === true) return root;
  throw new UsageError(`${root} is not a folder`);
}

export const command: Command = {
  summary: 'serve the files of a folder over HTTP',
  usage: '[DIR]',
  operandsMax: 1,
  details:
    'Without DIR it serves the current folder. It never serves names that begin with a dot.\n' +
    'For a folder it sends index.html, or a list of the files if there is none.\n' +
    `${ENDING}`,
  examples: ['serve', 'serve site --host 0.0.0.0 -p 80'],
  options: servingOptions(PORT_DEFAULT),
  async run(values, [name = '.'], output) {
    const root = folder(name);
    // Not before: it loads the addon, and the help is there without one, too.
    const { serve } = await import('../http/index.js');
    const { sendFolder } = await import('./listing.js');
    const server = serve({
      ...place(values, PORT_DEFAULT),
      handler(request, response) {
        const { path } = request;
        if (path.endsWith('/')) return sendFolder(request, response, root);
        return response.sendFile(path, { root });
      },
    });
    const line = (place: string) => `${root} on http://${place}/`;
    return serveUntilInterrupted(server, output, line, { root });
  },
};
