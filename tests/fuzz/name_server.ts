/** A name server that answers every question with the same octets, but for the id in front. */

/** On a free port of loopback. Over UDP it says that it has failed, unless `overUdp`. */
export function rawNameServer(answer: Uint8Array, overUdp: boolean): AsyncDisposable & {
  readonly host: string;
  readonly port: number;
} {
  const [listener, socket] = bind();
  const serving = [accept(), receive()];
  return {
    host: "127.0.0.1",
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      socket.close();
      await Promise.all(serving);
    },
  };

  async function receive(): Promise<void> {
    for await (const [question, from] of socket) {
      const reply = overUdp ? withId(question, answer) : failed(question);
      // Whoever asked may be gone.
      await socket.send(reply, from).catch(() => {});
    }
  }

  async function accept(): Promise<void> {
    for await (const connection of listener) await serve(connection).catch(() => {});
  }

  async function serve(connection: Deno.Conn): Promise<void> {
    using _ = connection;
    const buffer = new Uint8Array(1024);
    let length = 0;
    while (length < 4) {
      const more = await connection.read(buffer.subarray(length));
      if (more === null) return;
      length += more;
    }
    const reply = withId(buffer.subarray(2), answer.subarray(0, 0xffff));
    const framed = new Uint8Array(2 + reply.length);
    new DataView(framed.buffer).setUint16(0, reply.length);
    framed.set(reply, 2);
    for (let at = 0; at < framed.length;) at += await connection.write(framed.subarray(at));
  }
}

function bind(): [Deno.TcpListener, Deno.DatagramConn] {
  for (;;) {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    try {
      return [listener, Deno.listenDatagram({ hostname: "127.0.0.1", port, transport: "udp" })];
    } catch (error) {
      listener.close();
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

/** The question itself with the bits of an answer that is none: SERVFAIL (RFC 1035 4.1.1). */
function failed(question: Uint8Array): Uint8Array {
  const reply = question.slice();
  reply.set([(reply[2] ?? 0) | 0x80, 0x82], 2);
  return reply;
}

function withId(question: Uint8Array, answer: Uint8Array): Uint8Array {
  const reply = answer.slice();
  if (reply.length >= 2) reply.set(question.subarray(0, 2));
  return reply;
}
