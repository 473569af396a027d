// Topics of WebSockets that the threads of a group share: what one publishes reaches the others by
// a BroadcastChannel. Its bytes are copied once for each thread.
import { workerThreads } from '../builtins.js';
import type { Backplane } from '../websocket/backplane.js';

/** The channel's own type is in the types of the platform alone. */
interface Channel {
  onmessage: (event: { data: unknown }) => void;
  postMessage(message: unknown): void;
  close(): void;
  unref(): unknown;
}

type Message = [listener: number, topic: string, message: Uint8Array];

/** That of one listener of the module. */
export function threadTopics(name: string, listener: number): Backplane {
  let channel: Channel | undefined;
  return {
    publish(topic, message) {
      channel?.postMessage([listener, topic, message] satisfies Message);
    },
    onMessage(deliver) {
      const { BroadcastChannel } = workerThreads();
      channel = new BroadcastChannel(name) as unknown as Channel;
      channel.unref();
      channel.onmessage = ({ data }) => {
        const [of, topic, message] = data as Message;
        if (of === listener) deliver(topic, message);
      };
      return () => {
        channel?.close();
        channel = undefined;
      };
    },
  };
}
