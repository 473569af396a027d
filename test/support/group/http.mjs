// A module of a group: HTTP, with WebSockets that share topics, and ways to end its thread.
export default (thread) => ({
  host: '127.0.0.1',
  port: 0,
  handler(request) {
    switch (request.path) {
      case '/crash':
        setImmediate(() => {
          throw Object.assign(new Error('boom'), { code: 'E_BOOM' });
        });
        return 'going\n';
      case '/exit':
        setImmediate(() => process.exit(3));
        return 'going\n';
      case '/slow':
        return new Promise((resolve) => setTimeout(resolve, 150, 'slow\n'));
      default:
        return `${thread.number} ${thread.generation} ${thread.cpu} ${thread.data}\n`;
    }
  },
  websocket: {
    open: (socket) => socket.subscribe('all'),
    message: (socket, message) => socket.publish('all', `${thread.number}: ${message}`),
  },
});
