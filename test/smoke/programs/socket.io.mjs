// Socket.IO on both sides: by polling, by WebSocket, and by the way from one to the other.
import http from 'node:http';
import { Server } from 'socket.io';
import { io } from 'socket.io-client';
import { digest, listening, next, say } from './say.mjs';

const server = http.createServer();
const sockets = new Server(server, { maxHttpBufferSize: 5e6 });
sockets.on('connection', (socket) => {
  socket.on('echo', (value, done) => done(value));
  socket.on('join', async (room, done) => {
    await socket.join(room);
    done();
  });
  socket.on('room', (room, value) => sockets.to(room).emit('said', value));
  socket.on('leave', () => socket.disconnect(true));
});
sockets
  .of('/admin')
  .use((socket, go) =>
    socket.handshake.auth.token === 'secret' ? go() : go(new Error('forbidden')),
  );
const port = await listening(server);
const url = `http://127.0.0.1:${port}`;

for (const transports of [['polling'], ['websocket'], ['polling', 'websocket']]) {
  const kind = transports.join('+');
  const options = { transports, forceNew: true };
  const [one, two] = [io(url, options), io(url, options)];
  // The one may be upgraded before the other is connected.
  const upgraded = transports.length > 1 && next(one.io.engine, 'upgrade');
  await Promise.all([next(one, 'connect'), next(two, 'connect'), upgraded]);
  say(`${kind} transport`, one.io.engine.transport.name);
  const echoes = Array.from({ length: 100 }, (_, i) => one.emitWithAck('echo', { i }));
  say(`${kind} echoes`, (await Promise.all(echoes)).at(-1));
  const big = Buffer.alloc(2_000_000, 'ringpoll');
  const back = await one.emitWithAck('echo', big);
  say(`${kind} binary`, [back.length, digest(back)]);
  await Promise.all([one.emitWithAck('join', 'room'), two.emitWithAck('join', 'room')]);
  const said = Promise.all([next(one, 'said'), next(two, 'said')]);
  one.emit('room', 'room', 'hello');
  say(`${kind} room`, await said);
  const left = next(one, 'disconnect');
  one.emit('leave');
  say(`${kind} left`, (await left)[0]);
  two.disconnect();
}
const refused = io(`${url}/admin`, { forceNew: true, reconnection: false });
say('refused', (await next(refused, 'connect_error'))[0].message);
refused.disconnect();
refused.io.engine?.close();
const admin = io(`${url}/admin`, { forceNew: true, auth: { token: 'secret' } });
await next(admin, 'connect');
say('admitted', admin.connected);
// The server goes away, and comes back.
admin.io.reconnectionDelay(20);
const again = next(admin, 'connect');
admin.io.engine.transport.name === 'websocket'
  ? admin.io.engine.transport.ws.close()
  : admin.io.engine.close();
await again;
say('connected again', admin.connected);
admin.disconnect();
await new Promise((resolve) => sockets.close(resolve));
