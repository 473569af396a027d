// An Express app, unchanged (npm install express):
//   node --import ringpoll/register examples/faces/express.mjs [PORT]
// Without --import it runs on node:http.
import express from 'express';

const app = express();
app.get('/', (_request, response) => response.send('Hello from Express\n'));
app.get('/users/:id', ({ params }, response) => response.json({ id: params.id }));
app.post('/sum', express.json(), ({ body }, response) => {
  response.json({ sum: body.reduce((sum, number) => sum + number, 0) });
});

const server = app.listen(Number(process.argv[2] ?? 8080), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}/`);
});

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close());
