/**
 * smtp-server at a port of this machine: node smtp_server_peer.cjs PORT FOLDER
 *
 * The mail for NAME@anywhere goes into the Maildir FOLDER/NAME, which exists. It is synced, and so is
 * its directory, before the client hears 250.
 */

const { link, open, rename } = require("node:fs/promises");
const process = require("node:process");
// Found where NODE_PATH says, which is why this is no module of the newer kind.
const { SMTPServer } = require("smtp-server");

const [port, folder] = process.argv.slice(2);
let count = 0;

async function keep(recipients, chunks) {
  const name = `${process.pid}.${count++}`;
  const maildirs = recipients.map(({ address }) => `${folder}/${address.split("@")[0]}`);
  const [first, ...others] = maildirs;
  const file = await open(`${first}/tmp/${name}`, "wx");
  try {
    await file.writev(chunks);
    await file.sync();
  } finally {
    await file.close();
  }
  for (const other of others) await link(`${first}/tmp/${name}`, `${other}/tmp/${name}`);
  await Promise.all(maildirs.map(async (maildir) => {
    await rename(`${maildir}/tmp/${name}`, `${maildir}/new/${name}`);
    const directory = await open(`${maildir}/new`);
    await directory.sync();
    await directory.close();
  }));
}

new SMTPServer({
  authOptional: true,
  disabledCommands: ["AUTH", "STARTTLS"],
  disableReverseLookup: true,
  onData(stream, session, done) {
    const chunks = [];
    stream.on("data", (chunk) => chunks.push(chunk));
    stream.on("end", () => keep(session.envelope.rcptTo, chunks).then(() => done(), done));
  },
}).listen(Number(port), "127.0.0.1");
