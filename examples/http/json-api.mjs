// Notes as JSON, kept in memory: node examples/http/json-api.mjs [PORT]
//   curl -d '{"text":"milk"}' http://127.0.0.1:8080/notes; curl http://127.0.0.1:8080/notes
import { serve } from 'ringpoll/http';

const notes = new Map();
let newest = 0;

function noteOf(request) {
  return notes.get(Number(request.params.id));
}

function missing(response) {
  response.status(404).json({ error: 'no such note' });
}

const routes = {
  '/notes': {
    GET: (_, response) => response.json([...notes.values()]),
    async POST(request, response) {
      // No JSON gets 400, and too much of it 413, without a line here.
      const { text } = Object(await request.json({ limit: 16 * 1024 }));
      if (typeof text !== 'string') return response.status(422).json({ error: 'text is missing' });
      newest += 1;
      notes.set(newest, { id: newest, text });
      response.status(201).header('Location', `/notes/${newest}`).json(notes.get(newest));
    },
  },
  '/notes/:id': {
    GET(request, response) {
      const note = noteOf(request);
      if (note === undefined) return missing(response);
      response.json(note);
    },
    DELETE(request, response) {
      const note = noteOf(request);
      if (note === undefined) return missing(response);
      notes.delete(note.id);
      response.status(204).end();
    },
  },
};

const server = serve({
  host: '127.0.0.1',
  port: Number(process.argv[2] ?? 8080),
  routes,
  handler: (_, response) => response.status(404).json({ error: 'no such path' }),
});
console.log(`http://127.0.0.1:${server.port}/notes`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => server.stop({ timeout: 5000 }));
}
