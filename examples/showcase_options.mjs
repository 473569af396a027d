// The ports of the showcase, from the command line. `npm start` looks at them before it builds.
import { commandLine, numberOption } from '../scripts/command_line.mjs';

const USAGE = `usage: npm start [-- --echo-port N --resp-port N --http-port N --admin-port N]
  TCP echo, a key-value server and HTTP on 127.0.0.1; 0, the default, takes a free port`;
const PORTS = [0, 65535];

const port = { type: 'string', default: '0' };
const { values } = commandLine(USAGE, {
  options: { 'echo-port': port, 'resp-port': port, 'http-port': port, 'admin-port': port },
});

export const echoPort = numberOption(values, 'echo-port', PORTS, USAGE);
export const respPort = numberOption(values, 'resp-port', PORTS, USAGE);
export const httpPort = numberOption(values, 'http-port', PORTS, USAGE);
export const adminPort = numberOption(values, 'admin-port', PORTS, USAGE);
