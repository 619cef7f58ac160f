import fc from "fast-check";
import { expect, test } from "vitest";
import { FrameReader } from "./docker-frames.ts";

const frame = fc.record({ stream: fc.constantFrom("stdout" as const, "stderr" as const), bytes: fc.uint8Array({ maxLength: 40 }) });

test("frames are taken apart alike, in whatever pieces they come", () => {
  fc.assert(
    fc.property(fc.array(frame), fc.array(fc.nat(30)), (frames, cuts) => {
      const whole = Buffer.concat(
        frames.flatMap(({ stream, bytes }) => {
          const header = Buffer.alloc(8);
          header[0] = stream === "stderr" ? 2 : 1;
          header.writeUInt32BE(bytes.length, 4);
          return [header, Buffer.from(bytes)];
        }),
      );
      const got = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
      const reader = new FrameReader((stream, bytes) => (got[stream] = Buffer.concat([got[stream], bytes])));
      let at = 0;
      for (const cut of [...cuts, whole.length]) {
        reader.read(whole.subarray(at, at + cut));
        at += cut;
      }
      for (const name of ["stdout", "stderr"] as const) {
        const expected = Buffer.concat(frames.filter(({ stream }) => stream === name).map(({ bytes }) => Buffer.from(bytes)));
        expect(got[name]).toEqual(expected);
      }
    }),
  );
});
