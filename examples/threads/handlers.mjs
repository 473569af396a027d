// What each thread of server.mjs serves.
export default ({ number, data }) => ({
  host: '127.0.0.1',
  port: data.port,
  handler: (request) => `${request.path} from thread ${number}\n`,
});
