/**
 * Listens on 127.0.0.1 and passes each connection on to a unix socket: `node relay.ts SOCKET [ADDRESS]`. In a network namespace
 * that has only `lo`, it is the one way out, and it leads to our own server. Prints its port; ends when its stdin does.
 */
import { createServer, connect, type AddressInfo } from "node:net";

const [socket, address = "127.0.0.1"] = process.argv.slice(2);
if (socket === undefined) throw new Error("usage: relay.ts SOCKET [ADDRESS]");

const server = createServer((near) => {
  const far = connect(socket);
  near.pipe(far).pipe(near);
  // Either end may break off; the other is then closed too.
  near.on("error", () => far.destroy()).on("close", () => far.destroy());
  far.on("error", () => near.destroy()).on("close", () => near.destroy());
});
server.listen(0, address, () => console.log((server.address() as AddressInfo).port));
process.stdin.on("end", () => process.exit(0)).resume();
