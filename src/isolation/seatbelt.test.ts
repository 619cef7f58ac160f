import { expect, test } from "vitest";
import { seatbeltProfile } from "./seatbelt.ts";

test("a space becomes a profile in which the later rule wins", () => {
  const space = { hidden: ["/Users"], masked: [], readable: ['/Users/a/my "tools"'], writable: ["/Users/a/.drover/workspaces/w"] };
  expect(seatbeltProfile(space, [4020])).toBe(
    [
      "(version 1)",
      "(allow default)",
      "(deny file-write*)",
      '(deny file-read* file-write* (subpath "/Users"))',
      "",
      '(allow file-read-metadata (subpath "/"))',
      '(allow file-read* (subpath "/Users/a/my \\"tools\\""))',
      '(allow file-read* file-write* (subpath "/Users/a/.drover/workspaces/w"))',
      '(allow file-write* (literal "/dev/null") (literal "/dev/zero") (literal "/dev/tty") (regex #"^/dev/fd/"))',
      "(deny network*)",
      '(allow network-outbound (remote ip "localhost:@PROXY_PORT@") (remote ip "localhost:4020"))',
      '(allow network-bind network-inbound (local ip "localhost:*"))',
      "",
    ].join("\n"),
  );
});
