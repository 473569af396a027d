// TCP echo on ringpoll: `node bench/servers/tcp-echo.mjs PORT`. RINGPOLL_ENGINE and
// RINGPOLL_RECEIVE choose how it is served; the ready line names the engine that runs.
import { serveEcho } from '../lib/echo.mjs';

serveEcho();
