// Which of the web platform's tests are not run, or may fail, and why.

/** By the beginning of the file's name within `websockets`. */
export const leftOut = [
  ['back-forward-cache', 'a history of pages'],
  ['cookies/', 'a jar of cookies'],
  ['mixed-content', 'a page that came over https'],
  ['multi-globals/', 'several windows'],
  ['unload-a-document/', 'a document that goes away'],
  ['remove-own-iframe', 'a frame'],
  ['security/', 'the restrictions of a page'],
  ['stream/', 'WebSocketStream, which is a proposal'],
  ['opening-handshake/003-sets-origin', 'workers of a page'],
  ['bufferedAmount-unchanged-by-sync-xhr', 'XMLHttpRequest'],
  ['idlharness', 'files of interfaces that its own server gives'],
  ['referrer', 'the referrer of a page'],
  ['Create-blocked-port', 'ports that a browser blocks for the sake of its pages'],
  ['Create-on-worker-shutdown', 'workers of a page'],
  ['Create-url-with-windows-1252-encoding', 'a document in another encoding'],
  ['Send-data.worker', 'workers of a page'],
];

/** Tests that fail and may: the file, the beginning of the test's name, and why. */
export const mayFail = [
  ['Create-non-absolute-url.any.js', '', 'there is no page that a URL could be relative to'],
  ['Send-binary-arraybufferview-float16.any.js', '', 'Node.js has no Float16Array before 24'],
  ['constructor/006.html', '', 'a document'],
  ['constructor/014.html', '', 'handshakes with one server do not wait for each other'],
  ['constructor/016.html', '', 'a document in another encoding'],
  ['interfaces/WebSocket/events/003.html', '', 'a document'],
  ['interfaces/WebSocket/events/007.html', '', 'a document'],
  ['interfaces/WebSocket/events/008.html', '', 'a document'],
  ['interfaces/WebSocket/events/009.html', '', 'a document'],
  ['interfaces/WebSocket/events/018.html', '', 'the name that the MessageEvent of Node.js has'],
  ['interfaces/WebSocket/events/019.html', '', 'a document'],
  ['interfaces/WebSocket/send/010.html', '', 'a document'],
  ['opening-handshake/003.html', '', 'a name of a host that only its own server has'],
];

export const reasonOf = (file) => leftOut.find(([start]) => file.startsWith(start))?.[1];
