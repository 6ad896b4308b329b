/** One message over one connection, whatever the server does: every wait ends, and no result is lost. */

import assert from "node:assert/strict";
import { deliver } from "../../src/relay/client.ts";
import type { RecipientResult } from "../../src/smtp/client.ts";
import { replyText } from "../../src/smtp/reply.ts";

const encoder = new TextEncoder();
const TEXT = encoder.encode("Subject: Hi\r\n\r\n.body\r\n");
const JONES = { localPart: "jones", domain: "me.example" };

/** What the server does with its connection; the test ends it. */
type Act = (server: Deno.TcpConn, heard: () => Promise<string>) => Promise<void>;

/** Delivers to a server that acts like this. */
async function deliverTo(act: Act, text = TEXT): Promise<readonly RecipientResult[]> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [server, client] = await Promise.all([
    listener.accept(),
    Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
  ]);
  listener.close();
  const buffer = new Uint8Array(64 * 1024);
  const heard = async () => {
    const length = await server.read(buffer);
    return new TextDecoder().decode(buffer.subarray(0, length ?? 0));
  };
  const acting = act(server, heard).catch((error) => {
    if (
      !(error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset)
    ) {
      throw error;
    }
  });
  try {
    return await deliver(client, {
      envelope: {
        host: "client.example",
        reversePath: null,
        forwardPaths: [JONES],
        size: text.length,
        eightBit: false,
      },
      text,
      patience: 200,
    });
  } finally {
    server.close();
    await acting.catch((error) => {
      if (!(error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted)) {
        throw error;
      }
    });
  }
}

/** Says each reply after hearing something, the first one at once. */
function says(...replies: string[]): Act {
  return async (server, heard) => {
    for (const [i, reply] of replies.entries()) {
      if (i > 0) await heard();
      await server.write(encoder.encode(`${reply}\r\n`));
    }
  };
}

const TO_TEXT = ["220 s", "250 s", "250 OK", "250 OK", "354 go"];

Deno.test("a message that is accepted is told so", async () => {
  const [result] = await deliverTo(says(...TO_TEXT, "250 2.0.0 stored", "221 bye"));
  assert.deepEqual(result, {
    forwardPath: JONES,
    reply: { code: 250, status: "2.0.0", lines: ["stored"] },
  });
});

Deno.test("a server that closes after it accepted has accepted (RFC 5321 4.2.5)", async () => {
  const act: Act = async (server, heard) => {
    await says(...TO_TEXT, "250 stored")(server, heard);
    server.closeWrite();
  };
  const [result] = await deliverTo(act);
  assert.equal(result?.reply.code, 250);
});

Deno.test("a server that does not answer QUIT has accepted all the same", async () => {
  const [result] = await deliverTo(says(...TO_TEXT, "250 stored"));
  assert.equal(result?.reply.code, 250);
});

Deno.test("a server that greets by 421 and closes is quoted", async () => {
  const act: Act = async (server) => {
    await server.write(encoder.encode("421 s is full\r\n"));
    server.closeWrite();
  };
  const [result] = await deliverTo(act);
  assert.equal(result && replyText(result.reply), "421 s is full");
});

for (const step of [0, 1, 2, 3, 4, 5]) {
  Deno.test(`a server that falls silent after ${step} replies is not waited for`, async () => {
    await assert.rejects(deliverTo(says(...TO_TEXT.slice(0, step))), Deno.errors.TimedOut);
  });
  Deno.test(`a server that closes after ${step} replies has accepted nothing`, async () => {
    const act: Act = async (server, heard) => {
      await says(...TO_TEXT.slice(0, step))(server, heard);
      server.closeWrite();
    };
    await assert.rejects(deliverTo(act), Deno.errors.UnexpectedEof);
  });
}

Deno.test("a server that does not read the text is not waited for", async () => {
  const large = new Uint8Array(50_000_000).fill(120);
  await assert.rejects(deliverTo(says(...TO_TEXT), large), Deno.errors.TimedOut);
});
