/** The executable comes from a server, with a checksum, or not at all. */

import assert from "node:assert/strict";
import { skippable } from "../support/programs.ts";
import { assertDone, CONF, type Kit, lacking, makeKit, NEEDED, sha256 } from "./kit.ts";

type Files = Map<string, Uint8Array<ArrayBuffer>>;

/** A server on the loopback with these files; `cut` ones end in their middle. */
function serve(files: Files, cut = new Set<string>()) {
  const asked: string[] = [];
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const answer = async (conn: Deno.Conn) => {
    try {
      const request = new Uint8Array(8192);
      const length = await conn.read(request) ?? 0;
      const name = new TextDecoder().decode(request.subarray(0, length)).split(" ")[1]!.slice(1);
      asked.push(name);
      const body = files.get(name);
      const status = body ? "200 OK" : "404 Not Found";
      // HTTP/1.0 without a length: only the end of the connection ends the body.
      const head = `HTTP/1.0 ${status}\r\nConnection: close\r\n\r\n`;
      const part = body?.subarray(0, cut.has(name) ? body.length >> 1 : undefined);
      const bytes = new Uint8Array([...new TextEncoder().encode(head), ...part ?? []]);
      for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
    } finally {
      conn.close();
    }
  };
  const done = (async () => {
    for await (const conn of listener) await answer(conn);
  })();
  return {
    asked,
    url: `http://127.0.0.1:${listener.addr.port}/denosmtpd`,
    [Symbol.asyncDispose]: async () => {
      listener.close();
      await done;
    },
  };
}

/** The release of a kit with a checksum beside each file, as a server has it. */
async function released(kit: Kit): Promise<Files> {
  const files = new Map();
  for (const name of ["denosmtpd", ...CONF]) {
    const bytes = await Deno.readFile(`${kit.folder}/release/${name}`);
    files.set(name, bytes);
    files.set(`${name}.sha256`, new TextEncoder().encode(`${await sha256(bytes)}  ${name}\n`));
  }
  return files;
}

for (const loader of ["curl", "wget"]) {
  Deno.test({
    ...skippable(`all of a release comes from a server by ${loader}`, lacking(loader)),
    fn: async () => {
      await using kit = await makeKit();
      await using server = serve(await released(kit));
      // Without conf beside it, as if the script had been piped into a shell.
      await Deno.remove(`${kit.folder}/conf`, { recursive: true });
      const PATH = await kit.only([...NEEDED, loader]);
      // Nobody listens at the proxy, which is not for this machine's own servers.
      const env = { DESTDIR: kit.tree, PATH, http_proxy: "http://127.0.0.1:1" };
      assertDone(await kit.run(["--from", server.url, "--yes"], { env }));
      for (const name of ["usr/local/bin/denosmtpd", "etc/denosmtpd/user.conf"]) {
        assert.deepEqual(
          await Deno.readFile(`${kit.tree}/${name}`),
          await Deno.readFile(`${kit.folder}/release/${name.split("/").at(-1)}`),
        );
      }
      assert.deepEqual(server.asked.filter((name) => !name.endsWith(".sha256")), [
        "denosmtpd",
        "mail.conf",
        "user.conf",
        "denosmtpd.service",
        "denosmtpd.sysctl",
      ]);
      assert.doesNotMatch(await kit.list(), /^tmp\/./m);
    },
  });
}

/** What a server may do wrong, and what is said of it. */
const FAULTS: Readonly<
  Record<
    string,
    readonly [(files: Files, cut: Set<string>) => void, RegExp]
  >
> = {
  "has no such file": [(files) => files.delete("denosmtpd"), /denosmtpd could not be downloaded$/m],
  "has no checksum": [
    (files) => files.delete("denosmtpd.sha256"),
    /denosmtpd\.sha256 could not be downloaded, and nothing is installed without a checksum$/m,
  ],
  "cuts the file off": [(_, cut) => cut.add("denosmtpd"), /denosmtpd is damaged or another one/],
  "cuts the checksum off": [(_, cut) => cut.add("denosmtpd.sha256"), /holds no SHA-256 checksum/],
  "has another checksum": [
    (files) => files.set("denosmtpd.sha256", files.get("mail.conf.sha256")!),
    /denosmtpd is damaged or another one/,
  ],
  "cuts the unit off": [
    (_, cut) => cut.add("denosmtpd.service"),
    /denosmtpd\.service is damaged or another one/,
  ],
  "has no checksum of the kernel setting": [
    (files) => files.delete("denosmtpd.sysctl.sha256"),
    /denosmtpd\.sysctl\.sha256 could not be downloaded, and nothing is installed without a checksum$/m,
  ],
};

for (const [fault, [make, why]] of Object.entries(FAULTS)) {
  Deno.test({
    ...skippable(`where the server ${fault} nothing is changed`, lacking("curl")),
    fn: async () => {
      await using kit = await makeKit();
      await Deno.remove(`${kit.folder}/conf`, { recursive: true });
      assertDone(await kit.install());
      const before = await kit.list(kit.tree);
      const [files, cut] = [await released(kit), new Set<string>()];
      make(files, cut);
      await using server = serve(files, cut);
      const { code, err } = await kit.install(["--from", server.url]);
      assert.match(err, why);
      assert.equal(code, 1);
      assert.equal(await kit.list(kit.tree), before);
      assert.doesNotMatch(await kit.list(), /^tmp\/./m);
    },
  });
}

for (
  const url of [
    "http://mail.example/denosmtpd",
    "http://127.0.0.1.example/denosmtpd",
    "http://127.0.0.1:80@mail.example/denosmtpd",
    "ftp://mail.example/denosmtpd",
    "file:///etc/passwd",
  ]
) {
  Deno.test(`${url} is not asked`, async () => {
    await using kit = await makeKit();
    for (const loader of ["curl", "wget"]) {
      await kit.fake(loader, `echo asked >>${kit.folder}/tmp/asked`);
    }
    const { code, err } = await kit.install(["--from", url]);
    assert.match(err, /only https will do\n$/);
    assert.equal(code, 1);
    assert.doesNotMatch(await kit.list(), /asked|tree/);
  });
}
