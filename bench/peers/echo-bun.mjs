// TCP echo on Bun.listen: one shared handler object, write into the socket at once, and what it
// does not take is kept until drain, since Bun does not queue it. `bun echo-bun.mjs PORT`
const server = Bun.listen({
  hostname: '127.0.0.1',
  port: Number(process.argv[2] ?? 0),
  socket: {
    open(socket) {
      socket.data = null;
    },
    data(socket, bytes) {
      const sent = socket.write(bytes);
      if (sent >= 0 && sent < bytes.length) {
        socket.data = bytes.subarray(sent);
        socket.pause();
      }
    },
    drain(socket) {
      if (socket.data === null) return;
      const sent = socket.write(socket.data);
      if (sent >= 0 && sent < socket.data.length) {
        socket.data = socket.data.subarray(sent);
        return;
      }
      socket.data = null;
      socket.resume();
    },
    error() {},
  },
});
console.log(`ready ${server.port}`);
process.on('SIGTERM', () => process.exit(0));
